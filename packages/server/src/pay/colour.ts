/** A colour as `#rrggbb`. */
export type Colour = `#${string}`

const channelsOf = (colour: Colour): readonly [number, number, number] => {
  const value = Number.parseInt(colour.slice(1), 16)
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255]
}

/** Relative luminance, 0 to 1. Source: WCAG 2.2. */
export function luminanceOf(colour: Colour): number {
  const [red, green, blue] = channelsOf(colour).map((channel) => {
    const share = channel / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** Contrast ratio, 1 to 21. Text needs 4.5, what is drawn needs 3. Source: WCAG 2.2, 1.4.3 and 1.4.11. */
export function contrastOf(one: Colour, other: Colour): number {
  const [dark = 0, light = 0] = [luminanceOf(one), luminanceOf(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

/** `share` of `other` in `colour`, 0 to 1. */
export function mix(colour: Colour, other: Colour, share: number): Colour {
  const to = channelsOf(other)
  const mixed = channelsOf(colour).map((from, i) =>
    Math.round(from + ((to[i] ?? 0) - from) * share),
  )
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`
}

/** Black or white, whichever is read better on a colour: one of them has 4.58 at least. */
export const inkOn = (colour: Colour): Colour =>
  contrastOf('#ffffff', colour) >= contrastOf('#000000', colour) ? '#ffffff' : '#000000'

/** The colour itself where it can be read on a ground, else the nearest one towards black or white that can. */
export function legibleOn(colour: Colour, ground: Colour, least: number): Colour {
  const towards = inkOn(ground)
  for (let share = 0; share <= 1; share += 0.05) {
    const tried = mix(colour, towards, share)
    if (contrastOf(tried, ground) >= least) return tried
  }
  return towards
}
