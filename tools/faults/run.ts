/**
 * Every stage of a payout, every call that it makes of the node and of the signer, every way in which that call can go wrong:
 * at most one transaction pays, and exactly one in the end.
 *
 * `npm run faults -- [--times N] [--stage NAME] [--json]`
 */
import { readOptions } from '../options.ts'
import { STAGES } from './cells.ts'
import { Matrix } from './matrix.ts'

const options = readOptions({
  times: { type: 'string', default: '3' },
  stage: { type: 'string', default: '' },
  json: { type: 'boolean', default: false },
})
const stages = STAGES.filter((stage) => options.stage === '' || stage === options.stage)
const report = await new Matrix(Number(options.times)).run(stages, (name) => {
  if (!options.json) process.stdout.write(`${name}\n`)
})
process.stdout.write(`${JSON.stringify(report)}\n`)
process.exitCode = report.wrong.length === 0 && report.stories > 0 ? 0 : 1
