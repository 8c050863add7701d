import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import type { Finding } from '../doctor/finding.ts'
import { EXIT } from '../shell.ts'
import { addClientOptions, addNodeFlags, type Bind, type Context, examples } from './context.ts'

/** `kaccy doctor` */
export function addDoctor(program: Command, bind: Bind): void {
  const doctor = addClientOptions(addNodeFlags(program.command('doctor'))).description(
    'check node, database, clock and configuration, and say what to do',
  )
  examples(doctor, [
    'kaccy doctor',
    'kaccy doctor --json',
    'kaccy doctor --api https://pay.example.com --api-key-file key',
  ])
  bind(doctor, async (context) => {
    const { examine } = await import('../doctor/examine.ts')
    const findings = await examine(context)
    for (const finding of findings) {
      if (context.json) context.object(finding)
      else for (const line of linesOf(context, finding)) context.line(line)
    }
    const bad = findings.filter(({ state }) => state === 'failed')
    const first = bad[0]?.code
    if (first !== undefined)
      throw new EngineError(
        'SERVER_CHECK_FAILED',
        `${bad.length} of ${findings.length} checks failed`,
        { details: { first } },
      )
    return EXIT.ok
  })
}

const MARKS = { ok: ['good', '✓'], warning: ['wait', '!'], failed: ['bad', '✗'] } as const

function linesOf({ paint }: Context, { check, state, says, todo }: Finding): string[] {
  const [meaning, mark] = MARKS[state]
  const line = ` ${paint(meaning, mark)} ${check.padEnd(14)} ${says}`
  return todo === '' ? [line] : [line, `   ${' '.repeat(14)} ${paint('quiet', `→ ${todo}`)}`]
}
