import type { Fault, FaultKind } from '@kaccy/devnet'
import { SIGNER_FAULTS, type SignerFault } from './faulty-signer.ts'

/** A stage of a payout during which something goes wrong. */
export const STAGES = ['plan', 'sign', 'send', 'follow', 'bump', 'cancel'] as const
export type Stage = (typeof STAGES)[number]

export type Cell = Readonly<
  { stage: Stage; name: string } & ({ node: Fault } | { signer: SignerFault })
>

/** Calls that paying out may make of a node. Which of them a stage really makes is found out by `asked`. */
export const METHODS = [
  'getblockchaininfo',
  'getblockcount',
  'getblockhash',
  'getblockheader',
  'getblock',
  'getrawmempool',
  'getrawtransaction',
  'gettxout',
  'gettxspendingprevout',
  'getmempoolinfo',
  'getmempoolentry',
  'getnetworkinfo',
  'estimatesmartfee',
  'testmempoolaccept',
  'sendrawtransaction',
  'submitpackage',
  'uptime',
] as const

const KINDS: readonly FaultKind[] = [
  'timeout_before',
  'timeout_after',
  'reset',
  'reset_after',
  'warming_up',
  'garbage',
  'delay',
]
/** What a node may say to bytes that it has or does not have; none of it may make us pay again. */
const SEND_ERRORS: readonly { readonly code: number; readonly message: string }[] = [
  { code: -25, message: 'bad-txns-inputs-missingorspent' },
  { code: -25, message: 'TX decode failed' },
  { code: -26, message: 'mempool full' },
  { code: -26, message: 'min relay fee not met, 1 < 2' },
  { code: -26, message: 'too-long-mempool-chain' },
  { code: -26, message: 'a reason that nobody knows' },
  { code: -27, message: 'Transaction outputs already in utxo set' },
]

const nodeCell = (stage: Stage, name: string, fault: Fault): Cell => ({ stage, name, node: fault })

/** Every fault at every call that this stage makes. */
export function cellsOf(stage: Stage, asked: readonly string[]): readonly Cell[] {
  const cells = asked.flatMap((method) => [
    ...KINDS.map((kind) =>
      nodeCell(stage, `${method} ${kind}`, {
        method,
        kind,
        ...(kind === 'delay' ? { ms: 20 } : {}),
      }),
    ),
    nodeCell(stage, `${method} error`, { method, kind: 'error', code: -1, message: 'broken' }),
  ])
  const send = asked.includes('sendrawtransaction') ? SEND_ERRORS : []
  const signer = stage === 'sign' ? SIGNER_FAULTS : []
  return [
    ...cells,
    ...send.map(({ code, message }) =>
      nodeCell(stage, `sendrawtransaction ${code} ${message}`, {
        method: 'sendrawtransaction',
        kind: 'error',
        code,
        message,
      }),
    ),
    ...signer.map((fault): Cell => ({ stage, name: `signer ${fault}`, signer: fault })),
  ]
}
