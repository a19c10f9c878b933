import t from 'tap'
import { runCommandLine } from '../../src/bench/sandbox/shell/shell.ts'

const files = {
  'access.log': '10.0.0.1 GET /a 200\n10.0.0.2 GET /b 404\n10.0.0.1 POST /a 500\n',
  'people.csv': 'name,age,city\nAnn,30,Oslo\nBob,25,Rome\nCy,41,Oslo\n',
  'notes.txt': 'alpha beta\nGamma delta\n\nTODO: fix\nalpha end\n',
  'src/a.js': 'const a = 1 // TODO\n',
  'src/b.ts': 'let b\n',
}

/** Compared once with what a POSIX shell with GNU grep and sed and mawk prints. */
const printed: Readonly<Record<string, string>> = {
  [`awk '{print $1}' access.log | sort | uniq -c | sort -rn`]: '      2 10.0.0.1\n      1 10.0.0.2\n',
  [`awk -F, 'NR>1 {s[$3]+=$2; n[$3]++} END {for (c in s) printf "%s %.1f\\n", c, s[c]/n[c]}' people.csv | sort`]:
    'Oslo 35.5\nRome 25.0\n',
  [`awk '!seen[$1]++ {print $1, NR}' access.log`]: '10.0.0.1 1\n10.0.0.2 2\n',
  [`awk '{for (i=NF;i>0;i--) printf "%s%s", $i, (i>1?" ":"\\n")}' notes.txt`]:
    'beta alpha\ndelta Gamma\nfix TODO:\nend alpha\n',
  [`awk '/TODO/{f=1} f {print toupper($0)}' notes.txt`]: 'TODO: FIX\nALPHA END\n',
  [`awk '{split($1,p,"."); print p[4] substr($3,2)}' access.log`]: '1a\n2b\n1a\n',
  [`awk 'BEGIN{FS=",";OFS="-"} {$2=$2; print}' people.csv | head -n 2`]: 'name-age-city\nAnn-30-Oslo\n',
  [`grep -c TODO notes.txt`]: '1\n',
  [`grep -rn TODO src`]: 'src/a.js:1:const a = 1 // TODO\n',
  [`grep -oE '[A-Z][a-z]+' notes.txt`]: 'Gamma\n',
  [`grep -vE '^(alpha|$)' notes.txt`]: 'Gamma delta\nTODO: fix\n',
  [`grep -q nowhere notes.txt && echo yes || echo no`]: 'no\n',
  [`sed -n '2,4p' notes.txt`]: 'Gamma delta\n\nTODO: fix\n',
  [`sed -E 's/([a-z]+) ([a-z]+)/\\2 \\1/; /^$/d' notes.txt`]: 'beta alpha\nGdelta amma\nTODO: fix\nend alpha\n',
  [`sed -e 's/a/[&]/2' -e '$d' notes.txt`]: 'alph[a] beta\nGamm[a] delta\n\nTODO: fix\n',
  [`cut -d, -f1,3 people.csv | tail -n +2`]: 'Ann,Oslo\nBob,Rome\nCy,Oslo\n',
  [`sort -t, -k3,3 -k2,2nr people.csv | sed 1q`]: 'Cy,41,Oslo\n',
  [`tr -s ' ' '\\n' < notes.txt | sort | uniq -d`]: 'alpha\n',
  [`find . -name '*.js' | xargs grep -l TODO`]: './src/a.js\n',
  [`ls src | wc -l | tr -d ' '`]: '2\n',
  [`echo $(wc -l < people.csv) "lines of $(basename src/a.js .js)"`]: '4 lines of a\n',
  [`printf '%s-%03d\\n' a 7 b 42`]: 'a-007\nb-042\n',
}

t.test('command lines print what a POSIX shell prints', async t => {
  for (const [line, output] of Object.entries(printed)) t.equal(runCommandLine(line, files), output, line)
})

t.test('what this shell does not do is refused by name, never half run', async t => {
  const refused = [
    'for f in *; do echo $f; done',
    'rm -rf /',
    'bash -c ls',
    'x=1',
    'echo $HOME',
    'sleep 9 &',
    'sed --in-place s/a/b/ notes.txt',
    'awk \'{ print > "x" }\' notes.txt',
    'curl http://127.0.0.1',
    'grep alpha notes.txt |',
  ]
  for (const line of refused) t.throws(() => runCommandLine(line, files), Error, line)
})

t.test('a file that is not there is an error', async t => {
  t.throws(() => runCommandLine('cat missing.txt', files), /No such file/)
  t.throws(() => runCommandLine('cat /etc/passwd', files), /No such file/)
})

t.test('what a command line writes stays in its own files', async t => {
  const own = { ...files }
  t.equal(runCommandLine("sed -i 's/Oslo/Bergen/' people.csv; grep -c Bergen people.csv > n; cat n", own), '2\n')
  t.strictSame(own, files)
})
