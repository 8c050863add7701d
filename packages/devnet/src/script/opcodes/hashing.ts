import { ripemd160, sha1 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { sha256d } from '../../chain/bytes.ts'
import type { Operation } from '../execution.ts'
import { OP } from './names.ts'

const hashing =
  (hash: (bytes: Uint8Array) => Uint8Array): Operation =>
  ({ stack }) => {
    const element = stack.pop()
    if (!element) return 'INVALID_STACK_OPERATION'
    stack.push(hash(element))
    return undefined
  }

/** Opcodes that hash the top element. */
export const HASHING_OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [OP.RIPEMD160, hashing(ripemd160)],
  [OP.SHA1, hashing(sha1)],
  [OP.SHA256, hashing(sha256)],
  [OP.HASH160, hashing((bytes) => ripemd160(sha256(bytes)))],
  [OP.HASH256, hashing(sha256d)],
])
