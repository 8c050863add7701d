import type { CodeEntry } from './remedy.ts'

/** Codes of signing: receipts, signers, and the last look at the signed bytes. */
export const SIGNING_CODES = {
  RECEIPT_INVALID: { remedy: 'human', title: 'The text is no valid policy receipt' },
  SIGNER_REFUSED: { remedy: 'human', title: 'The signer looked at the transaction and said no' },
  SIGNER_DECLINED: { remedy: 'human', title: 'A person at the device said no' },
  SIGNER_NOT_READY: { remedy: 'retry', title: 'The signer cannot sign now' },
  SIGNER_MISCONFIGURED: { remedy: 'human', title: 'The signer and the engine do not fit together' },
  SIGNER_UNREACHABLE: { remedy: 'retry', title: 'The signer gave no answer that can be read' },
  LAST_LOOK_REFUSED: {
    remedy: 'human',
    title: 'The signed transaction is not the one that was planned',
  },
  PSBT_NOT_FOUND: { remedy: 'caller', title: 'No transaction to sign has this id' },
  PSBT_STATE: { remedy: 'caller', title: 'The transaction is past taking signatures' },
  PSBT_NOT_CURRENT: { remedy: 'caller', title: 'Another version of the transaction is signed now' },
  PSBT_NOT_APPROVED: { remedy: 'caller', title: 'People must approve the transaction first' },
} as const satisfies Record<string, CodeEntry>
