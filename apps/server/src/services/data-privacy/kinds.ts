// The kinds of personal data and secrets, most specific first: where two overlap, the earlier kind wins.
// Every search is linear in the text: patterns start at a boundary or are bounded in length.
import { isIPv6 } from "node:net";
import { entropy, ibanLength, isCardNumber, isSsn, passesMod97 } from "./numbers.ts";

/** UTF-16 offsets. */
export interface Hit {
  readonly start: number;
  readonly end: number;
}
export interface Kind {
  readonly id: string;
  readonly summary: string;
  readonly find: (text: string) => Iterable<Hit>;
}

/** Hits of a pattern, or of its first group; `accepts` has the last word. */
function* matches(text: string, pattern: RegExp, accepts: (match: RegExpExecArray) => boolean = () => true) {
  for (const match of text.matchAll(pattern)) {
    const [start, end] = match.indices?.[1] ?? [match.index, match.index + match[0].length];
    if (accepts(match)) yield { start, end };
  }
}

function* privateKeys(text: string): Iterable<Hit> {
  const ending = /-----END [A-Z ]{0,40}PRIVATE KEY-----/g;
  for (const begin of text.matchAll(/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/g)) {
    ending.lastIndex = begin.index + begin[0].length;
    const end = ending.exec(text);
    yield { start: begin.index, end: end ? end.index + end[0].length : text.length };
    if (!end) return;
  }
}

function* credentialsInUrls(text: string): Iterable<Hit> {
  const userInfo = /[^\s/@:?#]{0,128}:[^\s/@?#]{1,256}(?=@)/y;
  for (let at = text.indexOf("://"); at !== -1; at = text.indexOf("://", at + 3)) {
    userInfo.lastIndex = at + 3;
    const match = userInfo.exec(text);
    if (match) yield { start: match.index, end: match.index + match[0].length };
  }
}

const localCharacter = /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]/u;
const domain = /[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,62})(?:\.[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,62})){0,10}/uy;
function* emails(text: string): Iterable<Hit> {
  for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
    let start = at;
    while (start > 0 && at - start < 64 && localCharacter.test(text.charAt(start - 1))) start--;
    while (start < at && /[.'`/=?{|}]/.test(text.charAt(start))) start++;
    domain.lastIndex = at + 1;
    const host = domain.exec(text)?.[0].replace(/-+$/, "") ?? "";
    if (start < at && text.charAt(at - 1) !== "." && /\.\p{L}[\p{L}\d-]+$/u.test(host))
      yield { start, end: at + 1 + host.length };
  }
}

function* ibans(text: string): Iterable<Hit> {
  for (const match of text.matchAll(/(?<![\p{L}\p{N}])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z\d])/gu)) {
    const wanted = ibanLength(match[0].slice(0, 2).toUpperCase());
    if (wanted === undefined) continue;
    let compact = "";
    let end = match.index;
    for (; end < text.length && compact.length < wanted; end++) {
      const character = text.charAt(end);
      if (/[A-Za-z\d]/.test(character)) compact += character.toUpperCase();
      else if (!/[ -]/.test(character) || /[ -]/.test(text.charAt(end - 1))) break;
    }
    const ends = !/[\p{L}\p{N}]/u.test(text.charAt(end));
    if (compact.length === wanted && ends && passesMod97(compact)) yield { start: match.index, end };
  }
}

/** A run of digit groups may hold a card number with an expiry date or a code after it. */
function* cards(text: string): Iterable<Hit> {
  for (const run of text.matchAll(/(?<![\d.,])\d+(?:[ -]\d+)*(?![.,]?\d)/g)) {
    const groups = [...run[0].matchAll(/\d+/g)];
    for (let first = 0; first < groups.length; first++) {
      let digits = "";
      for (let last = first; last < groups.length && digits.length < 20; last++) {
        const group = groups[last];
        digits += group?.[0].slice(0, 20) ?? "";
        if (!group || digits.length < 13 || digits.length > 19 || !isCardNumber(digits)) continue;
        yield { start: run.index + (groups[first]?.index ?? 0), end: run.index + group.index + group[0].length };
        first = last;
        break;
      }
    }
  }
}

const digitsOf = (text: string): number => text.replace(/\D/g, "").length;
function* phones(text: string): Iterable<Hit> {
  const international = /(?<![\w+])(?<!\d[ -])(?:\+|00(?=[1-9]))\d(?:[ ()./-]{0,2}\d){6,16}(?![\w])/g;
  yield* matches(text, international, ([number]) => digitsOf(number) >= 8 && digitsOf(number) <= 17);
  yield* matches(text, /(?<![\w.-])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}(?![\w-])/g);
  const national = /(?<![\w.,/-])(?<!\d[ -])\(?0\d{1,5}\)?[ /]\d{2,8}(?:[ -]?\d{2,4}){0,3}(?![\w.,/-]?\d)/g;
  yield* matches(text, national, ([number]) => digitsOf(number) >= 9 && digitsOf(number) <= 12);
}

function* ipv6(text: string): Iterable<Hit> {
  for (const match of text.matchAll(/(?<![\w:.])[\dA-Fa-f:.]{3,}/g)) {
    const address = match[0].replace(/[.:]$/, (mark) => (match[0].endsWith("::") ? mark : ""));
    const tells = address.length <= 45 && /\d/.test(address) && address.replace(/[:.]/g, "").length >= 4;
    if (tells && isIPv6(address) && !/\w/.test(text.charAt(match.index + match[0].length)))
      yield { start: match.index, end: match.index + address.length };
  }
}

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ipv4 = new RegExp(`(?<![\\w.])${octet}(?:\\.${octet}){3}(?![\\w]|\\.\\d)`, "g");

const providerKeys = new RegExp(
  `(?<![\\w-])(?:${[
    "sk-(?:ant-|proj-|svcacct-)?[\\w-]{20,200}",
    "(?:AKIA|ASIA|AROA|AIDA)[A-Z\\d]{16}",
    "gh[pousr]_[A-Za-z\\d]{36,255}",
    "github_pat_\\w{22,255}",
    "glpat-[\\w-]{20,64}",
    "xox[abeoprs]-[A-Za-z\\d-]{10,250}",
    "AIza[\\w-]{35}",
    "ya29\\.[\\w-]{20,300}",
    "[rsp]k_(?:live|test)_[A-Za-z\\d]{16,247}",
    "hf_[A-Za-z\\d]{30,64}",
    "npm_[A-Za-z\\d]{36}",
    "SG\\.[\\w-]{22}\\.[\\w-]{43}",
    "dop_v1_[a-f\\d]{64}",
    "mlsec_[\\w-]{20,200}",
  ].join("|")})(?![\\w])`,
  "g",
);
const assigned =
  /(?<![a-z\d])(?:api[_-]?key|access[_-]?key|secret(?:[_-]?key)?|auth[_-]?token|token|passw(?:or)?d|pwd)["']?[ \t]{0,4}(?::|=>?|\bis\b)[ \t]{0,4}["']?([^\s"',;]{8,200})/dgi;

function* keys(text: string): Iterable<Hit> {
  yield* matches(text, providerKeys, ([key]) => entropy(key) > 2.5);
  // A word is no secret: what is assigned must mix letters with digits or signs.
  yield* matches(text, assigned, ([, value = ""]) => /\d/.test(value) && /[^\d]/.test(value) && entropy(value) > 2.5);
}

export const kinds: readonly Kind[] = [
  { id: "private_key", summary: "A private key in PEM form.", find: privateKeys },
  { id: "url_credentials", summary: "User and password inside a URL.", find: credentialsInUrls },
  {
    id: "jwt",
    summary: "A JSON web token.",
    find: (text) => matches(text, /(?<![\w.-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/g),
  },
  {
    id: "api_key",
    summary: "An API key of a known provider, or a secret assigned to a name that says so.",
    find: keys,
  },
  { id: "email", summary: "An e-mail address.", find: emails },
  { id: "iban", summary: "A bank account (IBAN, length and check digits verified).", find: ibans },
  { id: "credit_card", summary: "A payment card (issuer, length and Luhn digit verified).", find: cards },
  {
    id: "us_ssn",
    summary: "A United States social security number.",
    find: (text) =>
      matches(text, /(?<![\w-])(\d{3})([- ])(\d{2})\2(\d{4})(?![\w-])/g, ([, area = "", , group = "", serial = ""]) =>
        isSsn(area, group, serial),
      ),
  },
  {
    id: "mac_address",
    summary: "A network card's address.",
    find: (text) => matches(text, /(?<![\w:-])[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}(?![\w:-])/gi),
  },
  { id: "ipv6", summary: "An IPv6 address.", find: ipv6 },
  {
    id: "ipv4",
    summary: "An IPv4 address; not loopback, unspecified or broadcast.",
    find: (text) => matches(text, ipv4, ([address]) => !/^(127\.|0\.0\.0\.0$|255\.255\.255\.255$)/.test(address)),
  },
  { id: "phone", summary: "A telephone number, international or written with an area code.", find: phones },
];
