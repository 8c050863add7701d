export { type BlockChecks, checkBlock, witnessCommitment } from './check.ts'
export {
  type BlockHeader,
  type BlockRefusal,
  blockHashOf,
  decodeHeader,
  encodeHeader,
  HEADER_LENGTH,
  hasProofOfWork,
  targetOf,
} from './header.ts'
export { type MerkleRoot, merkleRoot, merkleRootOf, witnessRootOf } from './merkle.ts'
export { readTransactionProof, type TransactionProof } from './proof.ts'
export { blockWeight, scanBlock } from './scan.ts'
