import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import type { Random } from '../simulate/random.ts'
import { anyKey, condition, type Moment, type Path } from './conditions.ts'
import type { Lock, LockPath } from './lock.ts'
import { OP, script } from './opcodes.ts'
import { anyBytes, program } from './programs.ts'
import { type Key, type Place, schnorrSignature, taprootDigest } from './sign.ts'
import { concat, hex, sized } from './wire.ts'

interface Leaf {
  readonly name: string
  readonly version: number
  readonly script: Uint8Array
  readonly paths: readonly Path[]
}
/** A leaf or a pair, with its hash. */
interface Branch {
  readonly hash: Uint8Array
  readonly leaf?: Leaf
  readonly sides?: readonly [Branch, Branch]
}
const EMPTY = new Uint8Array()
/** Opcodes that make a tapscript succeed before it runs. Source: BIP 342. */
const SUCCESS = [80, 98, 126, 129, 131, 137, 141, 149, 187, 200, 254]
const TYPES = [0, 0, 0, 0, 0, 1, 2, 3, 0x81, 0x82, 0x83]
const { taggedHash } = schnorr.utils

function leafHash({ version, script }: Leaf): Uint8Array {
  return taggedHash('TapLeaf', concat([version], sized(script)))
}
function anyLeaf(random: Random, moment: Moment): Leaf {
  const free: readonly Path[] = [{ needs: {}, satisfy: () => [] }]
  switch (random.weighted({ condition: 12, program: 4, success: 2, unknown: 1 })) {
    case 'condition': {
      const { name, script, paths } = condition({ random, context: 'tapscript', moment })
      return { name, version: 0xc0, script, paths }
    }
    case 'program':
      return { ...program(random), version: 0xc0 }
    case 'success': {
      const bytes = script(anyBytes(random, 3), random.pick(SUCCESS) ?? 80, anyBytes(random, 5))
      const clean = script(OP.NOP, random.pick(SUCCESS) ?? 80, anyBytes(random, 5))
      return {
        name: 'success',
        version: 0xc0,
        script: random.chance(80) ? clean : bytes,
        paths: free,
      }
    }
    case 'unknown': {
      const version = random.pick([0xc2, 0x66, 0xfe, 0xca]) ?? 0xc2
      return { name: 'unknown leaf', version, script: anyBytes(random, 30), paths: free }
    }
  }
}
function pair(one: Branch, two: Branch): Branch {
  const sorted = [one.hash, two.hash].sort((a, b) => (hex(a) < hex(b) ? -1 : 1))
  return { hash: taggedHash('TapBranch', concat(...sorted)), sides: [one, two] }
}
function tree(random: Random, moment: Moment): Branch {
  const branches: Branch[] = Array.from({ length: random.between(1, 5) }, () => {
    const leaf = anyLeaf(random, moment)
    return { hash: leafHash(leaf), leaf }
  })
  while (branches.length > 1) {
    const [one] = branches.splice(random.between(0, branches.length - 1), 1)
    const [two] = branches.splice(random.between(0, branches.length - 1), 1)
    branches.push(pair(one as Branch, two as Branch))
  }
  return branches[0] as Branch
}
function* leaves(at: Branch, way: readonly Uint8Array[] = []): Generator<[Leaf, Uint8Array]> {
  if (at.leaf) yield [at.leaf, concat(...way)]
  if (!at.sides) return
  const [one, two] = at.sides
  yield* leaves(one, [two.hash, ...way])
  yield* leaves(two, [one.hash, ...way])
}

/** The key that signs for the output, and whether its point is odd. */
function tweaked(
  key: Key,
  root: Uint8Array,
): { secret: Uint8Array; xOnly: Uint8Array; odd: boolean } {
  const { Fn, BASE } = secp256k1.Point
  const number = (bytes: Uint8Array) => Fn.create(BigInt(`0x${hex(bytes)}`))
  const own = number(key.secret)
  const even = key.compressed[0] === 2 ? own : Fn.neg(own)
  const sum = Fn.add(even, number(taggedHash('TapTweak', concat(key.xOnly, root))))
  const point = BASE.multiply(sum).toBytes(true)
  return { secret: Fn.toBytes(sum), xOnly: point.subarray(1), odd: point[0] === 3 }
}
function annexOf(random: Random): Uint8Array | undefined {
  return random.chance(4) ? concat([0x50], anyBytes(random, 20)) : undefined
}
const withAnnex = (witness: readonly Uint8Array[], annex: Uint8Array | undefined) => ({
  script: EMPTY,
  witness: annex ? [...witness, annex] : witness,
})

function leafPath(leaf: Leaf, path: Path, control: Uint8Array): LockPath {
  const hash = leafHash(leaf)
  return {
    needs: path.needs,
    unlock: (place: Place, random) => {
      const annex = annexOf(random)
      const items = path.satisfy((key) => {
        const type = random.pick(TYPES) ?? 0
        return schnorrSignature(taprootDigest(place, type, hash, annex), key.secret, type)
      })
      return withAnnex([...items, leaf.script, control], annex)
    },
  }
}
/** Key path and every path of every leaf of a random tree. */
export function taprootLock(random: Random, moment: Moment): Lock {
  const key = anyKey(random)
  const root = random.chance(65) ? tree(random, moment) : undefined
  const output = tweaked(key, root?.hash ?? EMPTY)
  const keyPath: LockPath = {
    needs: {},
    unlock: (place, dice) => {
      const annex = annexOf(dice)
      const type = dice.pick(TYPES) ?? 0
      const digest = taprootDigest(place, type, undefined, annex)
      return withAnnex([schnorrSignature(digest, output.secret, type)], annex)
    },
  }
  const paths: LockPath[] = [keyPath]
  const names: string[] = []
  for (const [leaf, way] of root ? leaves(root) : []) {
    const control = concat([leaf.version | (output.odd ? 1 : 0)], key.xOnly, way)
    names.push(leaf.name)
    for (const path of leaf.paths) paths.push(leafPath(leaf, path, control))
  }
  return {
    kind: `p2tr {${names.join(' ')}}`,
    script: script(OP.ONE, concat([32], output.xOnly)),
    paths,
  }
}
