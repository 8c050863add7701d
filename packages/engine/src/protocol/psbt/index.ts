export { checkingPsbt, checkPsbt, judgePsbt } from './check.ts'
export { type CombineRefusal, combinePsbts } from './combine.ts'
export { createPsbt, type DraftInput, type DraftOutput, type PsbtDraft } from './create.ts'
export { encodePsbt, encodePsbtText } from './encode.ts'
export {
  type Finalized,
  type FinalizeRefusal,
  finalizeInputs,
  finalizePsbt,
  finalizingInputs,
  finalizingPsbt,
} from './finalize.ts'
export type * from './model.ts'
export { MAX_PSBT_PAIRS, MAX_PSBT_SIZE } from './pairs.ts'
export { parsePsbt, parsePsbtText } from './parse.ts'
export type * from './policy.ts'
export { type InputProgress, progressOf } from './progress.ts'
export type { SpendRule } from './rule.ts'
export {
  isSameTransaction,
  type Taken,
  type TakenSignature,
  type TakeRefusal,
  takeSignatures,
  takingSignatures,
} from './take.ts'
export { drain, type Steps } from './taken.ts'
export { type SignatureFault, type Spendable, Verifier } from './verifier.ts'
