export * from './address.ts'
export * from './base58.ts'
export * from './bech32.ts'
