/** Satoshi of an amount in bitcoins as people write it, without a floating point number; undefined when it is none. */
export function parseBitcoins(text: string): bigint | undefined {
  const match = /^(\d{1,8})(?:\.(\d{1,8}))?$/.exec(text)
  if (!match) return undefined
  return BigInt(match[1] ?? '0') * 100_000_000n + BigInt((match[2] ?? '').padEnd(8, '0'))
}
