/** Run by `npm publish` in a checkout, whose package would lack what `tools/package/stage.ts` puts into it. */
process.stderr.write(
  'Publish the tarball that was tried: npm run release -- --out release && npm publish release/signalbox-*.tgz\n',
)
process.exitCode = 1
