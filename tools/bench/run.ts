/**
 * Runs every benchmark module and prints each figure with its ratio to the named baseline, both measured in this run.
 * `npm run bench -- [--only NAME] [--minutes N] [--json]`. Absolute figures change with the machine and its neighbours; the ratios count.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { readOptions } from '../options.ts'
import type { BenchLine, BenchModule } from './measure.ts'

const folder = fileURLToPath(new URL('./modules/', import.meta.url))

const options = readOptions({
  json: { type: 'boolean', default: false },
  only: { type: 'string' },
  minutes: { type: 'string' },
})

const short = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)))

function print(line: BenchLine): void {
  const text = options.json
    ? JSON.stringify(line)
    : `${line.name.padEnd(44)} ${short(line.value).padStart(12)} ${line.unit.padEnd(14)} ` +
      `${short(line.ratio).padStart(7)} x ${line.baseline} (${short(line.baselineValue)})`
  process.stdout.write(`${text}\n`)
}

async function main(): Promise<number> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort()
  let count = 0
  const minutes = options.minutes === undefined ? {} : { minutes: Number(options.minutes) }
  for (const file of files) {
    const module = (await import(pathToFileURL(join(folder, file)).href)) as BenchModule
    if (options.only !== undefined && options.only !== module.name) continue
    count++
    try {
      await module.run(print, minutes)
    } catch (error) {
      process.stderr.write(`${module.name}: ${error instanceof Error ? error.stack : error}\n`)
      return 1
    }
  }
  if (count === 0) process.stderr.write(`no benchmark is called ${options.only ?? ''}\n`)
  return count === 0 ? 2 : 0
}

process.exitCode = await main()
