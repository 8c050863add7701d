import type { Signer, SigningAnswer, SigningRequest } from '../../capabilities/signing/index.ts'
import { AssertionError, equalBytes } from '../../kernel/index.ts'

/** One signer under test, with what it needs to show what it promises. */
export interface SignerSubject {
  readonly signer: Signer
  /** A transaction that it has to sign. */
  readonly honest: SigningRequest
  /** Transactions that it must not sign, each with what would be wrong about it. */
  readonly refused: Readonly<Record<string, SigningRequest>>
  /** True when these bytes are the honest transaction with the signatures that this signer owes, each of them valid. */
  isSigned(bytes: Uint8Array): boolean
  /** The same signer through lines that fail: nobody there, silence, an answer cut in the middle, an answer of another form. */
  readonly broken: Readonly<Record<string, Signer>>
  dispose?(): Promise<void>
}
export type MakeSigner = () => Promise<SignerSubject>

/** One promise of a signer. */
export interface SignerCheck {
  readonly name: string
  /** @throws AssertionError when the signer does not keep the promise. */
  run(): Promise<void>
}

const REASON = /^[a-z0-9_]+$/

function check(condition: boolean, what: string): void {
  if (!condition) throw new AssertionError(what)
}

const show = (answer: SigningAnswer): string =>
  answer.answer === 'signed' ? `signed, ${answer.bytes.length} bytes` : JSON.stringify(answer)

function checkSigned(answer: SigningAnswer, subject: SignerSubject): void {
  check(answer.answer === 'signed', `not signed: ${show(answer)}`)
  if (answer.answer === 'signed') {
    check(subject.isSigned(answer.bytes), 'signed another transaction, or not validly')
  }
}

function checkRefused(answer: SigningAnswer, what: string): void {
  check(answer.answer === 'refused', `${what} is not refused: ${show(answer)}`)
  if (answer.answer === 'refused') {
    check(REASON.test(answer.reason), `a reason is one word: ${answer.reason}`)
    check(answer.detail.length > 0, 'a refusal says why')
  }
}

const BODIES: Readonly<Record<string, (subject: SignerSubject) => Promise<void>>> = {
  'has a name': async ({ signer }) => check(signer.name.length > 0, 'no name'),
  'signs an honest transaction': async (subject) => {
    checkSigned(await subject.signer.sign(subject.honest), subject)
  },
  'signs the same again': async (subject) => {
    for (let i = 0; i < 3; i++) checkSigned(await subject.signer.sign(subject.honest), subject)
  },
  'signs the same at once': async (subject) => {
    const answers = await Promise.all([1, 2, 3].map(() => subject.signer.sign(subject.honest)))
    for (const answer of answers) checkSigned(answer, subject)
  },
  'signs again what is signed already': async (subject) => {
    const first = await subject.signer.sign(subject.honest)
    if (first.answer !== 'signed') throw new AssertionError(`not signed: ${show(first)}`)
    const again = { ...subject.honest, bytes: first.bytes }
    const second = await subject.signer.sign(again)
    // A device may say that there is nothing left to sign.
    if (second.answer !== 'refused') checkSigned(second, subject)
  },
  'leaves the given bytes as they are': async ({ signer, honest }) => {
    const bytes = Uint8Array.from(honest.bytes)
    await signer.sign(honest)
    check(equalBytes(bytes, honest.bytes), 'the request was changed')
  },
  'refuses what is no PSBT': async ({ signer, honest }) => {
    const cut = honest.bytes.slice(0, honest.bytes.length - 1)
    for (const bytes of [new Uint8Array(), Uint8Array.of(1, 2, 3), cut]) {
      checkRefused(await signer.sign({ ...honest, bytes }), `${bytes.length} bytes`)
    }
  },
  'refuses what it must not sign': async ({ signer, refused }) => {
    check(Object.keys(refused).length > 0, 'nothing that must be refused')
    for (const [what, request] of Object.entries(refused)) {
      checkRefused(await signer.sign(request), what)
    }
  },
  'says unknown where it does not know, and never rejects': async ({ broken, honest }) => {
    check(Object.keys(broken).length > 0, 'no broken line')
    for (const [what, signer] of Object.entries(broken)) {
      const answer = await signer.sign(honest)
      check(answer.answer === 'unknown', `${what} is not unknown: ${show(answer)}`)
    }
  },
}

/** What every signer has to promise, as checks that need no test framework. For our own adapters and for those of others. */
export const signerConformance = (makeSigner: MakeSigner): readonly SignerCheck[] =>
  Object.entries(BODIES).map(([name, body]) => ({
    name,
    async run() {
      const subject = await makeSigner()
      try {
        await body(subject)
      } finally {
        await subject.dispose?.()
      }
    },
  }))
