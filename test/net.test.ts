import t from 'tap'
import { isLocalNetwork, isLoopback } from '../src/net.ts'

t.test('every spelling of a loopback address is recognized', async t => {
  for (const host of [
    'localhost',
    'api.localhost',
    '127.0.0.1',
    '127.1.2.3',
    '::1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
  ]) {
    t.ok(isLoopback(host), host)
    t.ok(isLocalNetwork(host), host)
  }
  for (const host of [
    '127.0.0.1.example.com',
    'localhost.example.com',
    '128.0.0.1',
    '::2',
    '0.0.0.0',
    '127.0.0.999',
    '',
  ])
    t.notOk(isLoopback(host), host)
})

t.test('private networks are local, all others are not', async t => {
  for (const host of [
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '100.127.255.255',
    '0.0.0.0',
    '[fd00::1]',
    '[fc00::1]',
    '[fe80::1]',
    '[::ffff:10.0.0.1]',
    'gpu',
    'gpu.local',
    'vllm.internal',
  ])
    t.ok(isLocalNetwork(host), host)
  for (const host of [
    '11.0.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '192.169.0.1',
    '100.63.0.1',
    '100.128.0.1',
    '8.8.8.8',
    '[2001:4860:4860::8888]',
    '[::ffff:8.8.8.8]',
    'api.openai.com',
    '10.0.0.1.example.com',
    'fd00.example.com',
  ])
    t.notOk(isLocalNetwork(host), host)
})
