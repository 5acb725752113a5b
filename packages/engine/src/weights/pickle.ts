/** Reads the part of Python's pickle language that torch.save needs, and executes nothing: opcodes and globals come
 * from closed lists, and a global is a name that this reader knows, never a thing that is looked up.
 * Source: https://github.com/python/cpython/blob/main/Lib/pickletools.py */
import { EngineError } from "../error.ts";
import { opcodeName } from "./opcodes.ts";

/** A Python tuple or list. */
export class Sequence {
  readonly items: Value[];
  constructor(items: Value[] = []) {
    this.items = items;
  }
}

/** A Python dict or OrderedDict. */
export class Dictionary {
  readonly entries = new Map<string | number | boolean | null, Value>();
}

/** A global that the reader of the pickle allows. */
export class Global {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What a pickle holds. Objects are those that the `call` and `persistent` of its reader return. */
export type Value = null | boolean | number | string | object;

/** What a pickle may refer to. */
export interface PickleRules {
  /** Whether a global, written "module name", may be mentioned. */
  readonly isAllowed: (name: string) => boolean;
  /** What a call of an allowed global gives; undefined refuses it. */
  readonly call: (name: string, args: readonly Value[]) => Value | undefined;
  /** What a persistent id stands for. */
  readonly persistent: (id: readonly Value[]) => Value;
}

/** Lists, tuples and dictionaries of one pickle: about thirty thousand tensors' worth. */
const MAX_CONTAINERS = 200_000;
const MARK = Symbol("mark");
const decoder = new TextDecoder();

/**
 * The one value of a pickle.
 * Time and memory are bounded by the length of the bytes: every opcode takes at least one, and copies nothing twice.
 * @throws EngineError WEIGHTS that names the opcode or global that is refused.
 * @example
 * unpickle(bytes, { isAllowed: () => false, call: () => undefined, persistent: () => null }, "data.pkl");
 */
export function unpickle(bytes: Uint8Array, rules: PickleRules, where: string): Value {
  return unpickleNext(bytes, 0, { rules, where }).value;
}

/**
 * The value of a pickle that begins somewhere in the bytes, and where the next thing begins.
 * @throws EngineError WEIGHTS as `unpickle`.
 * @example
 * const { value, end } = unpickleNext(bytes, 21, { rules, where: "x.bin" });
 */
export function unpickleNext(
  bytes: Uint8Array,
  from: number,
  { rules, where }: { readonly rules: PickleRules; readonly where: string },
): { readonly value: Value; readonly end: number } {
  const machine = new Machine(bytes.subarray(from), rules, where);
  const value = machine.run();
  return { value, end: from + machine.end };
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #rules: PickleRules;
  readonly #where: string;
  readonly #stack: (Value | typeof MARK)[] = [];
  readonly #memo = new Map<number, Value>();
  #at = 0;
  #containers = 0;

  constructor(bytes: Uint8Array, rules: PickleRules, where: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#rules = rules;
    this.#where = where;
  }

  /** How many bytes it has read. */
  get end(): number {
    return this.#at;
  }

  run(): Value {
    for (;;) {
      const code = this.#view.getUint8(this.#take(1));
      if (code === 0x2e) break; // STOP
      if (!this.#scalar(code) && !this.#container(code) && !this.#reference(code)) {
        throw this.#refuse(`opcode ${opcodeName(code)} is not allowed`);
      }
    }
    const value = this.#pop();
    if (this.#stack.length > 0) throw this.#refuse("values are left over");
    return value;
  }

  /** Numbers, texts and markers of the protocol. */
  #scalar(code: number): boolean {
    const view = this.#view;
    switch (code) {
      case 0x80: // PROTO
        if (view.getUint8(this.#take(1)) > 5) throw this.#refuse("unknown protocol");
        return true;
      case 0x95: // FRAME: only a hint for readers of streams
        this.#take(8);
        return true;
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4a: // BININT
        return this.#push(view.getInt32(this.#take(4), true));
      case 0x4b: // BININT1
        return this.#push(view.getUint8(this.#take(1)));
      case 0x4d: // BININT2
        return this.#push(view.getUint16(this.#take(2), true));
      case 0x8a: // LONG1
        return this.#push(this.#long(view.getUint8(this.#take(1))));
      case 0x47: // BINFLOAT
        return this.#push(view.getFloat64(this.#take(8), false));
      case 0x58: // BINUNICODE
        return this.#push(this.#text(view.getUint32(this.#take(4), true)));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#text(view.getUint8(this.#take(1))));
      default:
        return false;
    }
  }

  /** Lists, tuples, dictionaries, and moves on the stack. */
  #container(code: number): boolean {
    switch (code) {
      case 0x28: // MARK
        this.#stack.push(MARK);
        return true;
      case 0x30: // POP
        this.#stack.pop();
        return true;
      case 0x31: // POP_MARK
        this.#toMark();
        return true;
      case 0x7d: // EMPTY_DICT
        return this.#pushNew(new Dictionary());
      case 0x5d: // EMPTY_LIST
        return this.#pushNew(new Sequence());
      case 0x29: // EMPTY_TUPLE
        return this.#pushNew(new Sequence());
      case 0x74: // TUPLE
        return this.#pushNew(new Sequence(this.#toMark()));
      case 0x85: // TUPLE1
        return this.#pushNew(new Sequence(this.#several(1)));
      case 0x86: // TUPLE2
        return this.#pushNew(new Sequence(this.#several(2)));
      case 0x87: // TUPLE3
        return this.#pushNew(new Sequence(this.#several(3)));
      case 0x61: // APPEND
        this.#append(this.#several(1));
        return true;
      case 0x65: // APPENDS
        this.#append(this.#toMark());
        return true;
      case 0x73: // SETITEM
        this.#setItems(this.#several(2));
        return true;
      case 0x75: // SETITEMS
        this.#setItems(this.#toMark());
        return true;
      default:
        return false;
    }
  }

  /** The memo, and everything that could run code elsewhere. */
  #reference(code: number): boolean {
    const view = this.#view;
    switch (code) {
      case 0x71: // BINPUT
        this.#memo.set(view.getUint8(this.#take(1)), this.#peek());
        return true;
      case 0x72: // LONG_BINPUT
        this.#memo.set(view.getUint32(this.#take(4), true), this.#peek());
        return true;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#peek());
        return true;
      case 0x68: // BINGET
        return this.#push(this.#recall(view.getUint8(this.#take(1))));
      case 0x6a: // LONG_BINGET
        return this.#push(this.#recall(view.getUint32(this.#take(4), true)));
      case 0x63: // GLOBAL
        return this.#push(this.#global(this.#line(), this.#line()));
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#several(2);
        return this.#push(this.#global(module, name));
      }
      case 0x51: {
        // BINPERSID
        const id = this.#pop();
        if (!(id instanceof Sequence)) throw this.#refuse("a persistent id is no tuple");
        return this.#push(this.#rules.persistent(id.items));
      }
      case 0x52: // REDUCE
        return this.#pushNew(this.#call());
      case 0x62: // BUILD
        this.#build();
        return true;
      default:
        return false;
    }
  }

  #call(): object {
    const args = this.#pop();
    const target = this.#pop();
    if (!(target instanceof Global) || !(args instanceof Sequence)) throw this.#refuse("a call of what is no global");
    const value = this.#rules.call(target.name, args.items);
    if (typeof value !== "object" || value === null) throw this.#refuse(`call of ${target.name} is not allowed`);
    return value;
  }

  /** torch hangs `_metadata` onto the OrderedDict of a state dict: attributes of a dictionary are dropped. */
  #build(): void {
    const state = this.#pop();
    if (!(this.#peek() instanceof Dictionary) || !(state instanceof Dictionary)) {
      throw this.#refuse("opcode BUILD is allowed on dictionaries only");
    }
  }

  #global(module: unknown, name: unknown): Global {
    const full = typeof module === "string" && typeof name === "string" ? `${module} ${name}` : "";
    if (!this.#rules.isAllowed(full)) throw this.#refuse(`global ${JSON.stringify(full.slice(0, 200))} is not allowed`);
    return new Global(full);
  }

  #append(values: readonly Value[]): void {
    const list = this.#peek();
    if (!(list instanceof Sequence)) throw this.#refuse("an append to what is no list");
    for (const value of values) list.items.push(value);
  }

  #setItems(values: readonly Value[]): void {
    const target = this.#peek();
    if (!(target instanceof Dictionary) || values.length % 2 !== 0)
      throw this.#refuse("items of what is no dictionary");
    for (let i = 0; i < values.length; i += 2) {
      const key = values[i];
      if (typeof key === "object" && key !== null) throw this.#refuse("a key is neither text nor number");
      target.entries.set(key ?? null, values[i + 1] ?? null);
    }
  }

  #pushNew(value: object): boolean {
    if (++this.#containers > MAX_CONTAINERS) throw this.#refuse(`more than ${MAX_CONTAINERS} objects`);
    return this.#push(value);
  }

  #push(value: Value): true {
    this.#stack.push(value);
    return true;
  }

  #pop(): Value {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw this.#refuse("a value is missing");
    return value;
  }

  #peek(): Value {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw this.#refuse("a value is missing");
    return value;
  }

  #several(count: number): Value[] {
    const values = Array.from({ length: count }, () => this.#pop());
    return values.reverse();
  }

  /** What lies above the last mark; takes the mark away too. */
  #toMark(): Value[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw this.#refuse("a mark is missing");
    const values = this.#stack.splice(at);
    return values.slice(1) as Value[];
  }

  #recall(index: number): Value {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#refuse("the memo has no such entry");
    return value;
  }

  /** A two's complement number of `length` bytes; the numbers of a checkpoint fit into eight. */
  #long(length: number): number {
    if (length > 8) throw this.#refuse("a number is too long");
    const from = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[from + i] ?? 0);
    return Number(BigInt.asIntN(length * 8, value));
  }

  #text(length: number): string {
    const from = this.#take(length);
    return decoder.decode(this.#bytes.subarray(from, from + length));
  }

  /** The rest of the line; names of modules are short. */
  #line(): string {
    const limit = Math.min(this.#bytes.length, this.#at + 1000);
    const end = this.#bytes.subarray(this.#at, limit).indexOf(0x0a);
    if (end < 0) throw this.#refuse("a name has no end");
    const text = this.#text(end);
    this.#take(1);
    return text;
  }

  #take(length: number): number {
    const from = this.#at;
    if (from + length > this.#bytes.length) throw this.#refuse("the pickle ends too early");
    this.#at += length;
    return from;
  }

  #refuse(message: string): EngineError {
    return new EngineError("WEIGHTS", `pickle refused: ${message}`, { where: this.#where, got: `byte ${this.#at}` });
  }
}
