export type * from './ports.ts'
export {
  createReceiptKey,
  type PolicyReceipt,
  type ReceiptApproval,
  type ReceiptKey,
  type ReceiptPayment,
  signReceipt,
  verifyReceipt,
} from './receipt.ts'
export { createSigning, type Signing } from './service.ts'
export type {
  InputProgress,
  Offered,
  Psbts,
  Session,
  SessionRefusal,
  SigningReport,
  Taken,
  TakeRefusal,
} from './ports.ts'
export type { SigningTx } from './transaction.ts'
export type {
  Signer,
  SignerRefusalCode,
  SignerRefused,
  SigningAnswer,
  SigningRequest,
} from './signer.ts'
