// A slice is a service's own settings: environment names with a schema and a description each.
import * as z from "zod";

export type Slice = Readonly<Record<string, z.ZodType>>;
export type SliceValues<S extends Slice> = { readonly [K in keyof S]: z.output<S[K]> };
export type Environment = Readonly<Record<string, string | undefined>>;

/** Declares settings; each value has `.describe()`, a secret also `.meta({ secret: true })`, which allows `<NAME>_FILE`. */
export function defineSlice<const S extends Slice>(slice: S): S {
  return slice;
}

export const port = (standard: number): z.ZodDefault<z.ZodPipe<z.ZodString, z.ZodTransform<number, string>>> =>
  z
    .string()
    .transform((text, context) => {
      const value = Number(text);
      if (/^\d{1,5}$/.test(text) && value <= 65_535) return value;
      context.addIssue({ code: "custom", message: "a port, 0 to 65535 (0 means any free one)" });
      return z.NEVER;
    })
    .default(standard);

export const whole = (least: number, most: number): z.ZodPipe<z.ZodString, z.ZodTransform<number, string>> =>
  z.string().transform((text, context) => {
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= least && value <= most) return value;
    context.addIssue({ code: "custom", message: `a whole number, ${least} to ${most}` });
    return z.NEVER;
  });

/** 1, true, yes, on and their opposites, in any case. */
export const flag = (): z.ZodDefault<z.ZodPipe<z.ZodString, z.ZodTransform<boolean, string>>> =>
  z
    .string()
    .transform((text, context) => {
      if (/^(1|true|yes|on)$/i.test(text)) return true;
      if (/^(0|false|no|off)$/i.test(text)) return false;
      context.addIssue({ code: "custom", message: "1 or 0" });
      return z.NEVER;
    })
    .default(false);

/** An address with its scheme; `standard` is put before one that has none. */
export const address = (
  schemes: readonly string[],
  standard?: string,
): z.ZodPipe<z.ZodString, z.ZodTransform<string, string>> =>
  z.string().transform((text, context) => {
    const full = standard === undefined || /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `${standard}://${text}`;
    const url = URL.parse(full);
    if (url && schemes.includes(url.protocol.slice(0, -1)) && url.hostname !== "") return full.replace(/\/+$/, "");
    context.addIssue({ code: "custom", message: `an address such as ${schemes[0]}://host:port` });
    return z.NEVER;
  });
