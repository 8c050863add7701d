export * from './hash-type.ts'
export { SignatureHasher, type TaprootContext } from './hasher.ts'
export * from './verify.ts'
