export {
  exportLabels,
  importLabels,
  type LabelImport,
  labelAddress,
} from './address-book.ts'
export {
  type RescanRefusal,
  renameWallet,
  requestRescan,
  retireWallet,
} from './administration.ts'
export type { KeyInput } from './derivation.ts'
export {
  checkLabel,
  formatLabels,
  type Label,
  type ParsedLabels,
  parseLabels,
  type SkippedLine,
} from './labels.ts'
export {
  createOutpointSet,
  OUTPOINT_LENGTH,
  OutpointSet,
  outPointBytes,
  outPointFrom,
} from './outpoint-set.ts'
export { CHANGE, type GapLevel, type GapReport, gapOf, RECEIVE } from './policy.ts'
export { createScriptPool, type ScriptPool } from './pool.ts'
export type * from './ports.ts'
export { formatRecovery, parseRecovery, type Recovery } from './recovery.ts'
export {
  type Registered,
  registerWallet,
  type WalletDeps,
  type WalletInput,
  type WalletTx,
} from './registration.ts'
export { type AddressPlace, markShown, type ReleaseRefusal, releaseAddress } from './release.ts'
export { exportRecovery, type Restored, restoreRecovery } from './restore.ts'
export {
  type AddressTx,
  type RevealedAddress,
  type RevealRefusal,
  type RevealRequest,
  type RevealShare,
  revealAddress,
  revealAddresses,
} from './reveal.ts'
export { createWallets, type Wallets } from './service.ts'
export { markUsed, type UseReport } from './use.ts'
export { createWatchSet, WatchSet } from './watch-set.ts'
export { createWatchedScripts, type WatchedScripts } from './watched.ts'
export type { WatchedScript } from './window.ts'
