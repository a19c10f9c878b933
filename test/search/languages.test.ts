import t from 'tap'
import { startSearch } from '../helpers/search.ts'

/** For each language a file with a definition of `plantedBeacon`, on the lines that the hit must cover. */
const planted: Record<string, { file: string; text: string; symbol: string }> = {
  typescript: {
    file: 'a.ts',
    text: 'export class Tower {\n  /** Lights it. */\n  plantedBeacon(level: number): void {\n    this.on = level\n  }\n}\n',
    symbol: 'Tower',
  },
  javascript: { file: 'a.js', text: 'const plantedBeacon = async (a) => {\n  return a\n}\n', symbol: 'plantedBeacon' },
  python: {
    file: 'a.py',
    text: 'import os\n\n\n@cache\ndef planted_beacon(level):\n    return level\n',
    symbol: 'planted_beacon',
  },
  go: {
    file: 'a.go',
    text: 'package a\n\nfunc (t *Tower) PlantedBeacon() error {\n\treturn nil\n}\n',
    symbol: 'Tower.PlantedBeacon',
  },
  rust: {
    file: 'a.rs',
    text: 'impl Tower {\n    pub async fn planted_beacon(&self) -> u8 {\n        1\n    }\n}\n',
    symbol: 'Tower',
  },
  java: {
    file: 'A.java',
    text: 'public class A {\n    public static int plantedBeacon(int level) {\n        return level;\n    }\n}\n',
    symbol: 'A',
  },
  kotlin: { file: 'a.kt', text: 'class A {\n    override suspend fun plantedBeacon(): Int = 1\n}\n', symbol: 'A' },
  c: {
    file: 'a.c',
    text: '#include <stdio.h>\n\nstatic int planted_beacon(int level)\n{\n    return level;\n}\n',
    symbol: 'planted_beacon',
  },
  cpp: {
    file: 'a.cpp',
    text: 'namespace x {\nint Tower::PlantedBeacon(int level) {\n  return level;\n}\n}\n',
    symbol: 'Tower::PlantedBeacon',
  },
  csharp: {
    file: 'a.cs',
    text: 'public class A\n{\n    public async Task<int> PlantedBeacon(int level)\n    {\n        return level;\n    }\n}\n',
    symbol: 'A',
  },
  php: {
    file: 'a.php',
    text: '<?php\nclass A {\n    public function plantedBeacon($level) {\n        return $level;\n    }\n}\n',
    symbol: 'A',
  },
  ruby: { file: 'a.rb', text: 'class A\n  def planted_beacon(level)\n    level\n  end\nend\n', symbol: 'A' },
  swift: {
    file: 'a.swift',
    text: 'final class A {\n    private func plantedBeacon() -> Int {\n        1\n    }\n}\n',
    symbol: 'A',
  },
  scala: { file: 'a.scala', text: 'object A {\n  def plantedBeacon(level: Int): Int = level\n}\n', symbol: 'A' },
  shell: { file: 'a.sh', text: '#!/bin/sh\n\nplanted_beacon() {\n  echo on\n}\n', symbol: 'planted_beacon' },
  sql: {
    file: 'a.sql',
    text: 'SELECT 1;\n\nCREATE TABLE IF NOT EXISTS planted_beacon (\n  id integer\n);\n',
    symbol: 'planted_beacon',
  },
  markdown: {
    file: 'a.md',
    text: '# Towers\n\n## Planted beacon\n\nHow the plantedBeacon is lit.\n',
    symbol: 'Towers',
  },
}

for (const [language, { file, text, symbol }] of Object.entries(planted)) {
  t.test(`a planted identifier is found in ${language}, with its lines and symbol`, async t => {
    const filler = Object.fromEntries(
      Array.from({ length: 5 }, (_, index) => [`other${index}.txt`, `nothing of note ${index}\n`]),
    )
    const { init, ask } = startSearch(t, { [`src/${file}`]: text, ...filler })
    await init()
    for (const query of ['plantedBeacon', 'planted_beacon', 'planted beacon']) {
      const { hits } = await ask(query)
      t.equal(hits[0]?.path, `src/${file}`, query)
      t.equal(hits[0]?.language, language)
      t.equal(hits[0]?.symbol, symbol)
      t.match(hits[0]?.lines, /planted[_ ]?beacon/i)
      const lines = text.split('\n').slice(hits[0]!.start_line - 1, hits[0]!.end_line)
      t.equal(hits[0]?.lines, lines.join('\n'), 'the line range is where the lines are')
    }
    t.equal((await ask(`planted lang:${language}`)).hits[0]?.path, `src/${file}`)
  })
}

t.test('a long class is cut at its methods, and a hit names the method', async t => {
  const method = (name: string) => `  ${name}(input: string) {\n${'    work(input)\n'.repeat(18)}  }\n\n`
  const text = `export class Engine {\n${['start', 'lubricate', 'halt'].map(method).join('')}}\n`
  const { init, ask } = startSearch(t, { 'engine.ts': text })
  await init()
  const { hits } = await ask('lubricate')
  t.match(hits, [{ symbol: 'Engine.lubricate', start_line: 23, end_line: 42 }])
})

t.test('a script without an extension is known by its first line', async t => {
  const { init, ask } = startSearch(t, { 'bin/deploy': '#!/usr/bin/env python3\ndef hoist_sails():\n    pass\n' })
  await init()
  t.match(await ask('hoist_sails'), { hits: [{ language: 'python', symbol: 'hoist_sails' }] })
})
