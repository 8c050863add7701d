export * from './input.ts'
export * from './multisig.ts'
