// Finds the route of a path. Routes are compiled from the contract's `{name}` templates; a literal segment wins over a
// parameter whatever the order of declaration, and a path that only misses the method is told apart from an unknown one.
import { AppError, type Contract, type Route } from "@mlsec/contracts";

export interface Match {
  readonly name: string;
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}
interface Compiled {
  readonly name: string;
  readonly route: Route;
  readonly segments: readonly RegExp[];
  readonly rank: string;
}
export interface Router {
  /** METHOD_NOT_ALLOWED (with `details.allow`) or ROUTE_NOT_FOUND when nothing fits. HEAD finds GET. */
  find(method: string, pathname: string): Match;
  /** The route of a path without parameters; undefined when only `find` can tell. */
  literal(method: string, pathname: string): Match | undefined;
}

const noParams = Object.freeze({});

export function createRouter(contract: Contract): Router {
  const routes = Object.entries(contract)
    .map(([name, route]) => compile(name, route))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const literals = new Map<string, Match>(
    Object.entries(contract).flatMap(([name, route]) =>
      route.path.includes("{") ? [] : [[`${route.method} ${route.path}`, { name, route, params: noParams }] as const],
    ),
  );
  return {
    literal: (method, pathname) => literals.get(`${method} ${pathname}`),
    find(method, pathname) {
      const parts = pathname.slice(1).split("/").map(decode);
      const fitting = routes.flatMap((compiled) => {
        const params = paramsOf(compiled, parts);
        return params ? [{ name: compiled.name, route: compiled.route, params }] : [];
      });
      const wanted = method === "HEAD" ? "GET" : method;
      const match = fitting.find((m) => m.route.method === wanted);
      if (match) return match;
      if (fitting.length === 0)
        throw new AppError("ROUTE_NOT_FOUND", `no route ${pathname.slice(0, 200)}; /docs lists them`);
      const allow = allowed(fitting.map((m) => m.route.method));
      throw new AppError("METHOD_NOT_ALLOWED", `${pathname.slice(0, 200)} answers ${allow}, not ${method}`, { allow });
    },
  };
}

const allowed = (methods: readonly string[]): string =>
  [...new Set(methods.flatMap((m) => (m === "GET" ? ["GET", "HEAD"] : [m])))].join(", ");

function compile(name: string, route: Route): Compiled {
  const parts = route.path.slice(1).split("/");
  const segments = parts.map((part) => {
    const pieces = part.split(/\{(\w+)\}/);
    return new RegExp(
      `^${pieces.map((piece, i) => (i % 2 ? `(?<${piece}>.+?)` : RegExp.escape(piece))).join("")}$`,
      "s",
    );
  });
  // Literal segments sort before mixed ones, and those before plain parameters.
  const rank = parts
    .map((part) => (part.includes("{") ? (part.startsWith("{") && part.endsWith("}") ? 2 : 1) : 0))
    .join("");
  return { name, route, segments, rank };
}

function paramsOf(compiled: Compiled, parts: readonly string[]): Record<string, string> | undefined {
  if (compiled.segments.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, segment] of compiled.segments.entries()) {
    const found = segment.exec(parts[i] ?? "");
    if (!found) return undefined;
    Object.assign(params, found.groups);
  }
  return params;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new AppError("INVALID_ENCODING", "the path holds percent escapes that are not UTF-8", {}, { cause });
  }
}
