export { checkTransaction } from './check.ts'
export {
  compactSize,
  compactSizeLength,
  uint32,
  writeCompactSize,
  writeUint32,
} from './compact-size.ts'
export {
  amountAt,
  decodeAt,
  decodeTransaction,
  hasWitnessAt,
  outPointAt,
  scriptAt,
  transactionOfInput,
  transactionOfOutput,
} from './decode.ts'
export {
  doubleSha256,
  encodeTransaction,
  hasWitness,
  strippedSize,
  txidOf,
  vsizeOf,
  weightOf,
  wtxidOf,
} from './encode.ts'
export { txidAt, txidBytesAt, weightAt, wtxidAt, wtxidBytesAt } from './ids.ts'
export {
  isCoinbase,
  isNullOutPoint,
  type Transaction,
  type TransactionInput,
  type TransactionOutput,
} from './model.ts'
export {
  MAX_SERIALIZED_SIZE,
  OUTSIDE_MONEY,
  scanTransaction,
  type TransactionRefusal,
  TransactionScan,
} from './scan.ts'
