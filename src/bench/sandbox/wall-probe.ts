import net from 'node:net'

/** Runs inside the isolation under test and reports whether it can reach its parent's port on this machine. */
const socket = net.connect(Number(process.argv[2]), '127.0.0.1')
socket.once('connect', () => {
  console.log('the network')
  socket.destroy()
})
socket.once('error', () => {
  console.log('nothing')
})
