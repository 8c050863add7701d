export { type SignOptions, secretsFor, signPsbt } from './sign-psbt.ts'
export * from './signer-conformance/index.ts'
export * from './store-conformance/index.ts'
