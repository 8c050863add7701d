import { runShapes, type CaseRecord } from '../cases.ts'
import { bitcoinjsBip174, bitcoinjsChecks, bitcoinjsFinalize } from '../psbts-bitcoinjs.ts'
import { bips, core, hwi, rustCombine, workflow } from '../psbts-standard.ts'

export const topic = 'psbt'

export const run = (dir: string): AsyncGenerator<CaseRecord> =>
  runShapes(dir, [
    workflow,
    rustCombine,
    bitcoinjsFinalize,
    bitcoinjsChecks,
    bitcoinjsBip174,
    core,
    hwi,
    bips,
  ])
