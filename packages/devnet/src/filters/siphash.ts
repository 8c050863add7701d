/** The four words of SipHash's state as pairs of 32 bits: BigInt would cost ten times as much. */
interface State {
  readonly low: Int32Array
  readonly high: Int32Array
}

/** v[a] += v[b] */
function add({ low, high }: State, a: number, b: number): void {
  const sum = ((low[a] ?? 0) >>> 0) + ((low[b] ?? 0) >>> 0)
  low[a] = sum | 0
  high[a] = ((high[a] ?? 0) + (high[b] ?? 0) + (sum > 0xffffffff ? 1 : 0)) | 0
}
/** v[a] = rotl(v[a], bits) ^ v[b] */
function rotateXor({ low, high }: State, a: number, bits: number, b: number): void {
  const l = low[a] ?? 0
  const h = high[a] ?? 0
  low[a] = ((l << bits) | (h >>> (32 - bits))) ^ (low[b] ?? 0)
  high[a] = ((h << bits) | (l >>> (32 - bits))) ^ (high[b] ?? 0)
}
/** v[a] = rotl(v[a], 32) */
function swap({ low, high }: State, a: number): void {
  const l = low[a] ?? 0
  low[a] = high[a] ?? 0
  high[a] = l
}
function round(state: State): void {
  add(state, 0, 1)
  rotateXor(state, 1, 13, 0)
  swap(state, 0)
  add(state, 2, 3)
  rotateXor(state, 3, 16, 2)
  add(state, 0, 3)
  rotateXor(state, 3, 21, 0)
  add(state, 2, 1)
  rotateXor(state, 1, 17, 2)
  swap(state, 2)
}

/** SipHash-2-4 with 64 bits. `key` has 16 bytes. Source: Aumasson and Bernstein, 2012. */
export function siphash(key: Uint8Array, data: Uint8Array): bigint {
  const view = new DataView(key.buffer, key.byteOffset, 16)
  const k = [0, 4, 8, 12].map((at) => view.getInt32(at, true))
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = k
  const state: State = {
    low: Int32Array.of(k0 ^ 0x70736575, k2 ^ 0x6e646f6d, k0 ^ 0x6e657261, k2 ^ 0x79746573),
    high: Int32Array.of(k1 ^ 0x736f6d65, k3 ^ 0x646f7261, k1 ^ 0x6c796765, k3 ^ 0x74656462),
  }
  const whole = data.length & ~7
  const words = new DataView(data.buffer, data.byteOffset, data.length)
  for (let at = 0; at < whole; at += 8) {
    absorb(state, words.getInt32(at, true), words.getInt32(at + 4, true))
  }
  const tail = new Uint8Array(8)
  tail.set(data.subarray(whole))
  tail[7] = data.length & 0xff
  const last = new DataView(tail.buffer)
  absorb(state, last.getInt32(0, true), last.getInt32(4, true))
  state.low[2] = (state.low[2] ?? 0) ^ 0xff
  for (let i = 0; i < 4; i++) round(state)
  const fold = (half: Int32Array): number => half.reduce((all, word) => all ^ word, 0) >>> 0
  return (BigInt(fold(state.high)) << 32n) | BigInt(fold(state.low))
}
function absorb(state: State, low: number, high: number): void {
  const { low: l, high: h } = state
  l[3] = (l[3] ?? 0) ^ low
  h[3] = (h[3] ?? 0) ^ high
  round(state)
  round(state)
  l[0] = (l[0] ?? 0) ^ low
  h[0] = (h[0] ?? 0) ^ high
}
