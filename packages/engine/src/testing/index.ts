export * from './store-conformance/index.ts'
export * from './signer-conformance/index.ts'
