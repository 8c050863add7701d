import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { addNodeFlags, type Bind } from './context.ts'

/** `kaccy serve` */
export function addServe(program: Command, bind: Bind): void {
  const serve = addNodeFlags(program.command('serve'))
    .description('follow the node and serve the HTTP interface until Ctrl-C')
    .option('--listen <address:port>', 'where to listen (default: 127.0.0.1:8080)')
    .addHelpText(
      'after',
      '\nExample:\n  kaccy serve --network regtest --node http://127.0.0.1:18443 --cookie ~/.bitcoin/regtest/.cookie',
    )
  bind(serve, async (context) => {
    context.runsUntilStopped = true
    const { config } = context.load()
    // Loaded here, so that no other command waits for them.
    const [{ openHost }, { runServe }, { exportMetrics }, tracing, { requestFacts }] =
      await Promise.all([
        import('../host/host.ts'),
        import('../serve/run.ts'),
        import('../operations/metrics.ts'),
        import('../operations/tracer.ts'),
        import('../operations/request-facts.ts'),
      ])
    const logger = context.logger(config, requestFacts)
    const exported = exportMetrics(logger)
    const host = await openHost({
      config,
      logger,
      metrics: exported.metrics,
      tracer: tracing.openTelemetryTracer,
      needsNode: true,
      mayCreate: true,
    })
    try {
      await runServe({
        host,
        config,
        logger,
        exported,
        signal: context.shell.signal,
        onListening: (url) => {
          if (context.json) context.object({ type: 'listening', url })
          else context.line(`listening on ${url}`)
        },
      })
    } finally {
      await host.close()
    }
    return EXIT.ok
  })
}
