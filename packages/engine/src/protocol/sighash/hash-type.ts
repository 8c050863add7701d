/** What a signature covers. Source: Bitcoin Core, SIGHASH_*; BIP 341 for DEFAULT. */
export const SIGHASH = {
  DEFAULT: 0x00,
  ALL: 0x01,
  NONE: 0x02,
  SINGLE: 0x03,
  ANYONECANPAY: 0x80,
} as const

/** The outputs that a hash type covers, as the number that stands in it. */
export const outputKind = (hashType: number): number => hashType & 0x1f
export const isAnyoneCanPay = (hashType: number): boolean => (hashType & SIGHASH.ANYONECANPAY) !== 0

/** True for the types that BIP 341 defines; a signature with another one is invalid. */
export const isTaprootHashType = (hashType: number): boolean =>
  hashType <= 3 || (hashType >= 0x81 && hashType <= 0x83)

const NAMES = ['DEFAULT', 'ALL', 'NONE', 'SINGLE']
/** `ALL`, `SINGLE|ANYONECANPAY`, or the number where it has no name. */
export function printHashType(hashType: number): string {
  const name = NAMES[hashType & 0x7f]
  if (hashType === SIGHASH.ANYONECANPAY || hashType > 0xff || name === undefined)
    return `${hashType}`
  return isAnyoneCanPay(hashType) ? `${name}|ANYONECANPAY` : name
}
