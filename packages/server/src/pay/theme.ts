import { EngineError } from '@kaccy/bitcoin/kernel'
import { type Colour, inkOn, legibleOn } from './colour.ts'

/** How a merchant may dress the page. Every text is checked before it comes near a style sheet. */
export interface PayTheme {
  /** Shown above the order and in the title. */
  readonly name?: string
  /** `#rrggbb`. Made darker or lighter where it could not be read. */
  readonly accent?: string
  /** Corners in pixels, 0 to 24. */
  readonly radius?: number
  /** Names of fonts that the payer's device has, first choice first; nothing is loaded. */
  readonly font?: string
  /** `data:image/…;base64,…`, at most 128 KiB. Served as a file of its own. */
  readonly logo?: string
}

export interface Logo {
  readonly type: string
  readonly extension: string
  readonly bytes: Uint8Array
}
/** A theme that has been looked at: nothing in it can end a declaration, a rule or an attribute. */
export interface CheckedTheme {
  readonly name?: string
  readonly accent: Colour
  readonly radius: number
  readonly font?: string
  readonly logo?: Logo
}

const ACCENT = '#2f5bea'
const RADIUS = 14
const LOGO_BYTES = 128 * 1024
const LOGO_TYPES: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/svg+xml': 'svg',
}
/** Words of letters and digits between commas: no quote, bracket, backslash or semicolon. */
const FONT = /^[A-Za-z][A-Za-z0-9 -]{0,39}(, ?[A-Za-z][A-Za-z0-9 -]{0,39}){0,7}$/
/** Keywords lose their meaning in quotes. */
const GENERIC =
  /^(serif|sans-serif|monospace|cursive|system-ui|ui-serif|ui-sans-serif|ui-monospace|ui-rounded)$/
const NAME = /^[^\p{C}\p{Zl}\p{Zp}]{1,60}$/u

const no = (param: string, reason: string): EngineError =>
  new EngineError('CONFIG_VALUE_INVALID', `checkout.${param} ${reason}`, { details: { param } })

/** @throws EngineError CONFIG_VALUE_INVALID for anything that is not exactly a name, a colour, a number, fonts or an image */
export function checkTheme(theme: PayTheme = {}): CheckedTheme {
  const { name, accent = ACCENT, radius = RADIUS, font, logo } = theme
  if (name !== undefined && !NAME.test(name))
    throw no('name', 'is not 1 to 60 printable characters')
  if (!/^#[0-9a-f]{6}$/i.test(accent)) throw no('accent', 'is no colour of the form #rrggbb')
  if (!Number.isInteger(radius) || radius < 0 || radius > 24)
    throw no('radius', 'is no whole number from 0 to 24')
  if (font !== undefined && !FONT.test(font))
    throw no('font', 'is no list of font names of letters, digits, spaces and hyphens')
  return {
    ...(name === undefined ? {} : { name }),
    accent: accent.toLowerCase() as Colour,
    radius,
    ...(font === undefined ? {} : { font }),
    ...(logo === undefined ? {} : { logo: logoOf(logo) }),
  }
}

function logoOf(url: string): Logo {
  const [, type = '', data = ''] =
    /^data:(image\/[a-z+]{3,8});base64,([A-Za-z0-9+/]+={0,2})$/.exec(url) ?? []
  const extension = Object.hasOwn(LOGO_TYPES, type) ? LOGO_TYPES[type] : undefined
  if (extension === undefined)
    throw no('logo', `is no data: address of ${Object.keys(LOGO_TYPES).join(', ')} in base64`)
  const bytes = Buffer.from(data, 'base64')
  if (bytes.length > LOGO_BYTES) throw no('logo', `is larger than ${LOGO_BYTES} bytes`)
  return { type, extension, bytes }
}

/** The grounds of the style sheet that carry the accent as text. */
const LIGHT = '#ffffff'
const DARK = '#15171b'

/** The variables that a theme sets, as the beginning of the style sheet. */
export function themeRules({ accent, radius, font }: CheckedTheme): string {
  const family = font
    ?.split(',')
    .map((word) => word.trim())
    .map((word) => (GENERIC.test(word) ? word : `"${word}"`))
    .join(', ')
  const dark = legibleOn(accent, DARK, 4.5)
  const shades = (ground: Colour, suffix: string) => {
    const fill = legibleOn(accent, ground, 3)
    return [
      `--pay-accent${suffix}: ${fill};`,
      `--pay-accent-ink${suffix}: ${inkOn(fill)};`,
      `--pay-accent-text${suffix}: ${ground === DARK ? dark : legibleOn(accent, ground, 4.5)};`,
    ]
  }
  const rules = [
    ...shades(LIGHT, '-light'),
    ...shades(DARK, '-dark'),
    `--pay-radius: ${radius}px;`,
    ...(family === undefined ? [] : [`--pay-font: ${family}, system-ui, sans-serif;`]),
  ]
  return `:root {\n  ${rules.join('\n  ')}\n}\n`
}
