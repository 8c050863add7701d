export * from './store-conformance/index.ts'
export { type SignOptions, secretsFor, signPsbt } from './sign-psbt.ts'
