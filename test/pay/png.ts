import { inflateSync } from 'node:zlib'

export interface Picture {
  readonly width: number
  readonly height: number
  /** Three bytes a pixel, row by row. */
  readonly data: Uint8Array
}

/** How a row is told from its left and upper neighbours. Source: PNG, 9.2. */
const PREDICT: readonly ((left: number, up: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  (left, up, corner) => {
    const [a, b, c] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs) as [
      number,
      number,
      number,
    ]
    if (a <= b && a <= c) return left
    return b <= c ? up : corner
  },
]

/** Pixels of a PNG as browsers write their screenshots: 8 bits, RGB or RGBA, not interlaced. */
export function readPng(png: Buffer): Picture {
  let [width, height, channels] = [0, 0, 3]
  const parts: Buffer[] = []
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    const body = png.subarray(at + 8, at + 8 + length)
    if (type === 'IHDR') {
      ;[width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)]
      channels = body[9] === 6 ? 4 : 3
    }
    if (type === 'IDAT') parts.push(body)
    at += length + 12
  }
  const raw = inflateSync(Buffer.concat(parts))
  const stride = width * channels
  const rows = new Uint8Array(stride * height)
  for (let y = 0; y < height; y++) {
    const predict = PREDICT[raw[y * (stride + 1)] ?? 0]
    if (!predict) throw new TypeError('a filter that PNG does not have')
    for (let x = 0; x < stride; x++) {
      const here = y * stride + x
      const left = x < channels ? 0 : (rows[here - channels] ?? 0)
      const up = y === 0 ? 0 : (rows[here - stride] ?? 0)
      const corner = x < channels || y === 0 ? 0 : (rows[here - stride - channels] ?? 0)
      rows[here] = (raw[y * (stride + 1) + 1 + x] ?? 0) + predict(left, up, corner)
    }
  }
  const data = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++)
    data.set(rows.subarray(i * channels, i * channels + 3), i * 3)
  return { width, height, data }
}
