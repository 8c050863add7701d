import { encode } from 'uqr'

/** Four modules of quiet all around, as scanners expect. Source: ISO/IEC 18004. */
const QUIET = 4

/**
 * What the code says. A bech32 address alone fits the denser alphanumeric alphabet when it is in capitals, and wallets read
 * it either way (BIP 173); a link with parameters does not, so it stays as it is.
 */
export const qrText = (uri: string): string =>
  /^bitcoin:(bc|tb|bcrt)1[0-9a-z]+$/.test(uri) ? uri.toUpperCase() : uri

/** A QR code as an SVG image, black on white in every theme: scanners do not like it the other way round. */
export function qrSvg(text: string): string {
  const { data, size } = encode(qrText(text), { ecc: 'M', border: 0 })
  const path = data.flatMap((row, y) =>
    runsOf(row).map(([x, width]) => `M${x} ${y}h${width}v1h-${width}z`),
  )
  const side = size + 2 * QUIET
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-QUIET} ${-QUIET} ${side} ${side}" shape-rendering="crispEdges">`,
    `<path fill="#fff" d="M${-QUIET} ${-QUIET}h${side}v${side}h-${side}z"/>`,
    `<path fill="#000" d="${path.join('')}"/></svg>`,
  ].join('')
}

/** Runs of dark modules, as beginning and length. */
function runsOf(row: readonly boolean[]): [number, number][] {
  const runs: [number, number][] = []
  row.forEach((isDark, x) => {
    const last = runs.at(-1)
    if (!isDark) return
    if (last && last[0] + last[1] === x) last[1] += 1
    else runs.push([x, 1])
  })
  return runs
}

/** How many modules a code has on a side, by kind and number of its characters: making a code to know takes longer than a page. */
const sizes = new Map<string, number>()
const MOST_SIZES = 2_000
/** The denser alphabet. Source: ISO/IEC 18004 7.4.4. */
const ALPHANUMERIC = /^[0-9A-Z $%*+./:-]*$/

function sizeOf(text: string): number {
  const key = `${ALPHANUMERIC.test(text)} ${Buffer.byteLength(text)}`
  const known = sizes.get(key)
  if (known !== undefined) return known
  // Whichever mask is the best one, the size is the same; looking for it is most of the work.
  const { size } = encode(text, { ecc: 'M', border: 0, maskPattern: 0 })
  if (sizes.size < MOST_SIZES) sizes.set(key, size)
  return size
}

/** Pixels on a side, at most `most`, where every module has a whole number of them: blurred edges are read worse. */
export function qrSide(text: string, most: number): number {
  const modules = sizeOf(qrText(text)) + 2 * QUIET
  return modules * Math.max(1, Math.floor(most / modules))
}
