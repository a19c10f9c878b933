import type { BenchmarkRunOutcome, BenchmarkProgress } from '../../bench/runner.ts'

/** Progress on stderr: one line that is overwritten on a terminal, one line per item elsewhere. */
export function showProgress(progress: BenchmarkProgress): void {
  const { candidate, task, passed, asked, resumed, saved, remaining, tokens, costUsd, etaSeconds } = progress
  const done = asked + resumed
  const share = done / (done + remaining)
  const bar = '█'.repeat(Math.round(share * 20)).padEnd(20, '░')
  const eta = etaSeconds < 90 ? `${Math.round(etaSeconds)} s` : `${Math.round(etaSeconds / 60)} min`
  const facts = [
    `${done}/${done + remaining}`,
    `${saved} saved`,
    `${tokens} tokens`,
    `$${costUsd.toFixed(4)}`,
    `at most ${eta}`,
  ]
  const line = `${bar} ${facts.join(' · ')} · ${candidate.model} ${task} ${passed ? '✓' : '✗'}`
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line.slice(0, process.stderr.columns - 1)}` : `${line}\n`)
}

/** The end of a run as text. */
export function summaryOf({
  status,
  asked,
  resumed,
  saved,
  costUsd,
  tokens,
  unreachable,
}: BenchmarkRunOutcome): string {
  const lines = [
    `${asked} items measured, ${resumed} resumed from an earlier run, ${saved} saved by early stopping; ${tokens} tokens, $${costUsd.toFixed(4)}.`,
    ...unreachable.map(({ model, reason }) => `${model} could not be measured completely: ${reason}`),
  ]
  if (status !== 'finished') lines.push(`Ended early: ${status}. Run the same command to continue.`)
  return lines.join('\n')
}
