import { claimInstance } from '../../src/instance.ts'

// Claims the folder passed to it, prints whether it succeeded, and keeps the claim until it is stopped or dies.
const claim = claimInstance(process.argv[2] ?? '', { checkActiveProcess: true, removeStale: true })
claim?.announce({ url: `http://127.0.0.1:${process.pid}`, token: 'secret', version: '0.0.0' })
process.stdout.write(claim === undefined ? 'refused\n' : 'claimed\n')
process.stdin.on('end', () => {
  claim?.release()
})
process.stdin.resume()
