export * from './format.ts'
export * from './parse.ts'
export * from './payment-uri.ts'
