import { serveMcpStdio } from '../../src/mcp/stdio.ts'
import { openShopMcp } from './bare-mcp.ts'

const { factory } = openShopMcp()
await serveMcpStdio({
  factory,
  stdin: process.stdin,
  stdout: process.stdout,
  signal: new AbortController().signal,
})
