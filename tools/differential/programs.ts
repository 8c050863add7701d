import type { Random } from '../simulate/random.ts'
import type { Condition } from './conditions.ts'
import { number, OP, push, pushNumber, script } from './opcodes.ts'
import { KEYS } from './sign.ts'
import { sha256 } from './wire.ts'

/** Opcode, items it looks at, items it leaves in their place, and how many of those must be short numbers. */
type Shape = readonly [opcode: number, takes: number, leaves: number, numbers: number]
const SHAPES: readonly Shape[] = [
  [0x61, 0, 0, 0],
  [0xb0, 0, 0, 0],
  [0xb3, 0, 0, 0],
  [0x6d, 2, 0, 0],
  [0x6e, 2, 4, 0],
  [0x6f, 3, 6, 0],
  [0x70, 4, 6, 0],
  [0x71, 6, 6, 0],
  [0x72, 4, 4, 0],
  [0x74, 0, 1, 0],
  [0x75, 1, 0, 0],
  [0x76, 1, 2, 0],
  [0x77, 2, 1, 0],
  [0x78, 2, 3, 0],
  [0x7b, 3, 3, 0],
  [0x7c, 2, 2, 0],
  [0x7d, 2, 3, 0],
  [0x82, 1, 2, 0],
  [0x87, 2, 1, 0],
  [0x8b, 1, 1, 1],
  [0x8c, 1, 1, 1],
  [0x8f, 1, 1, 1],
  [0x90, 1, 1, 1],
  [0x91, 1, 1, 1],
  [0x92, 1, 1, 1],
  [0x93, 2, 1, 2],
  [0x94, 2, 1, 2],
  [0x9a, 2, 1, 2],
  [0x9b, 2, 1, 2],
  [0x9c, 2, 1, 2],
  [0x9e, 2, 1, 2],
  [0x9f, 2, 1, 2],
  [0xa0, 2, 1, 2],
  [0xa1, 2, 1, 2],
  [0xa2, 2, 1, 2],
  [0xa3, 2, 1, 2],
  [0xa4, 2, 1, 2],
  [0xa5, 3, 1, 3],
  [0xa6, 1, 1, 0],
  [0xa7, 1, 1, 0],
  [0xa8, 1, 1, 0],
  [0xa9, 1, 1, 0],
  [0xaa, 1, 1, 0],
]
const NUMBERS = [0, 1, -1, 2, 16, 17, 127, 128, -128, 255, 256, 32767, 2147483647, -2147483647]

/** What is written and how deep the stack is then. */
interface Draft {
  readonly parts: (number | Uint8Array)[]
  depth: number
}
export function anyBytes(random: Random, most: number): Uint8Array {
  const size = random.between(0, most)
  const blocks = Array.from({ length: Math.ceil(size / 32) }, () => sha256(number(random.next())))
  return Uint8Array.from(blocks.flatMap((block) => [...block])).subarray(0, size)
}
function operand(random: Random): Uint8Array {
  return pushNumber(
    random.chance(70) ? (random.pick(NUMBERS) ?? 0) : random.between(-70_000, 70_000),
  )
}

/** Opcodes that hold on their own: operands first, and only as many as there are. */
function step(random: Random, draft: Draft, level: number): void {
  const kind = random.weighted({ shape: 60, data: 12, pick: 5, alt: 4, branch: 8, sig: 4, odd: 3 })
  const { parts } = draft
  switch (kind) {
    case 'shape': {
      const [opcode, takes, leaves, numbers] = random.pick(SHAPES) as Shape
      // Most operands are fresh; sometimes what lies there is taken and may be no number.
      const fresh = numbers > 0 && random.chance(90) ? takes : Math.max(0, takes - draft.depth)
      for (let i = 0; i < fresh; i++) parts.push(operand(random))
      parts.push(opcode)
      draft.depth += fresh - takes + leaves
      return
    }
    case 'data':
      parts.push(push(anyBytes(random, 80)))
      draft.depth += 1
      return
    case 'pick': {
      if (draft.depth === 0) return
      const roll = random.chance(50)
      parts.push(pushNumber(random.between(0, draft.depth - 1)), roll ? 0x7a : 0x79)
      draft.depth += roll ? 0 : 1
      return
    }
    case 'alt':
      parts.push(operand(random), 0x6b, 0x6c)
      draft.depth += 1
      return
    case 'branch':
      branch(random, draft, level)
      return
    case 'sig':
      // An empty signature is a valid no.
      parts.push(
        0,
        push((KEYS[random.next() % KEYS.length] ?? KEYS[0])?.compressed ?? operand(random)),
      )
      parts.push(OP.CHECKSIG)
      draft.depth += 1
      return
    case 'odd':
      parts.push(random.between(0x50, 0xff))
  }
}
/** A branch whose sides leave the stack as deep as it was. */
function branch(random: Random, draft: Draft, level: number): void {
  if (level > 3) return
  const side = (): (number | Uint8Array)[] => {
    const inner: Draft = { parts: [], depth: 0 }
    for (let left = random.between(0, 3); left > 0; left--) step(random, inner, level + 1)
    while (inner.depth-- > 0) inner.parts.push(OP.DROP)
    return inner.parts
  }
  const yes = random.chance(94) ? pushNumber(random.between(0, 1)) : operand(random)
  draft.parts.push(yes, random.chance(70) ? OP.IF : OP.NOTIF, ...side())
  if (random.chance(70)) draft.parts.push(OP.ELSE, ...side())
  if (random.chance(98)) draft.parts.push(OP.ENDIF)
}

/** A program of random opcodes that often succeeds; its arguments are fixed, and nobody signs. */
export function program(random: Random, most = 24, whole = false): Condition {
  const items = Array.from({ length: random.between(0, 3) }, () =>
    random.chance(60) ? number(random.pick(NUMBERS) ?? 0) : anyBytes(random, 40),
  )
  const draft: Draft = { parts: [], depth: items.length }
  for (let left = random.between(1, most); left > 0; left--) step(random, draft, 0)
  if (random.chance(88)) {
    for (; draft.depth > 1; draft.depth -= 2) draft.parts.push(0x6d)
    if (draft.depth === 1) draft.parts.push(OP.DROP)
    draft.parts.push(OP.ONE)
  }
  if (random.chance(1) && !whole) draft.parts.push(Uint8Array.of(0x4d, 0xff))
  return {
    name: 'program',
    script: script(...draft.parts),
    paths: [{ needs: {}, satisfy: () => items }],
  }
}
