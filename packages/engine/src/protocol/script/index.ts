export * from './multisig.ts'
export * from './opcodes.ts'
export * from './output.ts'
export * from './push.ts'
