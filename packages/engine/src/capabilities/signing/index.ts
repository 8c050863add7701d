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
export type {
  Signer,
  SignerRefusalCode,
  SignerRefused,
  SigningAnswer,
  SigningRequest,
} from './signer.ts'
