const NUMBER = /^(-?)(\d{1,20})(?:\.(\d{1,20}))?(?:[eE]([+-]?\d{1,3}))?$/
const PLACES = 8

/**
 * BTC as a JSON number to satoshis, exactly; undefined when it has more than 8 decimal places. Core writes `0.00001000`,
 * nodes in Go write the shortest form, `1e-05`, so exponents are read as well.
 */
export function exactSat(text: string): bigint | undefined {
  const match = NUMBER.exec(text)
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = BigInt(whole + fraction)
  const shift = PLACES - fraction.length + Number(exponent)
  if (digits === 0n) return 0n
  if (shift > 40 || shift < -60) return undefined
  const scale = 10n ** BigInt(Math.abs(shift))
  if (shift < 0 && digits % scale !== 0n) return undefined
  const value = shift < 0 ? digits / scale : digits * scale
  return sign === '-' ? -value : value
}
