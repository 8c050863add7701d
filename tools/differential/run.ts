/**
 * Feeds the same random transactions and blocks to a devnet and to a real node and compares what they say.
 * `npm run differential -- [--seed S] [--start T] [--transactions N] [--blocks N] [--node btcd|core] [--json]`
 */
import { readOptions } from '../options.ts'
import { DIFFERENCES } from './differences.ts'
import { type DifferentialReport, differential, usualStart } from './differential.ts'

function print(report: DifferentialReport): void {
  const line = (text: string) => process.stdout.write(`${text}\n`)
  line(
    `differential: --seed ${report.seed} --start ${report.start}, devnet against ${report.node}, ${report.seconds} s`,
  )
  for (const [name, count] of Object.entries(report.counts)) line(`  ${name}: ${count}`)
  for (const [name, count] of Object.entries(report.named)) {
    const why = DIFFERENCES.find((each) => each.name === name)?.why ?? ''
    line(`named difference, ${count} times: ${name} (${why})`)
  }
  for (const finding of report.findings) {
    line(`DIFFERENT: ${finding.what}, seed ${finding.seed}, step ${finding.index}`)
    line(`  done to it: ${finding.notes.join('; ')}`)
    line(`  devnet:  ${finding.devnet}`)
    line(`  ${report.node}: ${finding.other}`)
    if (finding.hex !== undefined) line(`  hex: ${finding.hex}`)
    for (const spent of finding.spent ?? []) line(`  spends: ${spent}`)
  }
  line(`${report.findings.length} differences without a name`)
}

async function main(): Promise<number> {
  const values = readOptions({
    seed: { type: 'string' },
    start: { type: 'string' },
    transactions: { type: 'string', default: '2000' },
    blocks: { type: 'string', default: '200' },
    node: { type: 'string' },
    json: { type: 'boolean', default: false },
  })
  const seed =
    values.seed === undefined ? Math.floor(Date.now() / 1000) % 1_000_000_000 : Number(values.seed)
  const size = { transactions: Number(values.transactions), blocks: Number(values.blocks) }
  const start = values.start === undefined ? usualStart() : Number(values.start)
  const whole = [seed, start, size.transactions, size.blocks].every(
    (value) => Number.isSafeInteger(value) && value >= 0,
  )
  const given = values.node ?? (process.env['BITCOIND'] ? 'core,btcd' : 'btcd')
  const nodes = given.split(',')
  if (!whole || !nodes.every((node) => node === 'btcd' || node === 'core')) {
    process.stderr.write(
      '--seed, --start, --transactions and --blocks take whole numbers, --node btcd or core\n',
    )
    return 2
  }
  let failed = false
  for (const node of nodes as ('btcd' | 'core')[]) {
    const report = await differential({ seed, start, node, ...size })
    if ('missing' in report) {
      process.stderr.write(`${node}: ${report.missing}\n`)
      return 1
    }
    failed ||= report.findings.length > 0
    if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`)
    else print(report)
  }
  return failed ? 1 : 0
}
process.exitCode = await main()
