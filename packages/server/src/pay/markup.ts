/** Text that is HTML already. Only `html` makes it, so that nothing else can get past the escaping. */
export class Markup {
  readonly #text: string
  private constructor(text: string) {
    this.#text = text
  }
  static of(text: string): Markup {
    return new Markup(text)
  }
  toString(): string {
    return this.#text
  }
}

type Part = Markup | string | number | bigint | undefined | false | readonly Part[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}
/** Control characters say nothing to a reader, and parsers disagree about them: the replacement character stands for them. */
const CONTROL = /(?![\t\n])[\p{Cc}\p{Cs}]/gu

/** Printable ASCII that means itself: nearly every piece of a page, told apart by one look instead of three. */
const PLAIN = /^[\t\n !#-%(-;=?-_a-~]*$/

/** Text as it may stand between tags and in quoted attributes. */
export function escapeText(text: string): string {
  if (PLAIN.test(text)) return text
  return text
    .replace(/\r\n?/g, '\n')
    .replace(CONTROL, '\uFFFD')
    .replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '')
}

const textOf = (part: Part): string => {
  if (part === undefined || part === false) return ''
  if (part instanceof Markup) return part.toString()
  if (Array.isArray(part)) return part.map(textOf).join('')
  return escapeText(String(part))
}

/** HTML from a template: everything put in is escaped, unless it is markup itself. Attributes must be quoted. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  Markup.of(strings.reduce((text, piece, i) => `${text}${piece}${textOf(parts[i])}`, ''))

/**
 * Text of a stranger, kept to itself: what it says about the direction of writing ends where it ends, so it cannot turn
 * the amount beside it around. Source: UAX 9, HTML `bdi`.
 */
export const foreign = (text: string): Markup => html`<bdi>${text}</bdi>`
