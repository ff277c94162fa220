import { constants } from 'node:fs'
import { access, mkdir, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SetupError } from '@trigger-hub/core'

/** Where locks and shared memory do not reach from one machine to the other, so that the file would be damaged. */
const networks = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
])
const memories = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
])
const fuse = 0x65735546

export interface Warning {
  readonly code: string
  readonly message: string
}

/**
 * Makes the folder of the file and looks at where it is.
 * @returns what an operator should know about the place
 * @throws SetupError `ERR_DRIVER_UNUSABLE` for a folder that cannot be written, for a path that is a folder itself and for a
 *   network filesystem
 * @see statfs(2)
 */
export async function preparePlace(path: string, typeOf = filesystemOf): Promise<Warning[]> {
  const folder = dirname(path)
  try {
    await mkdir(folder, { recursive: true })
    await access(folder, constants.W_OK | constants.X_OK)
    await access(path, constants.R_OK | constants.W_OK).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error // a new file is made
    })
  } catch (cause) {
    throw new SetupError(
      'ERR_DRIVER_UNUSABLE',
      `"${path}" cannot be written (${(cause as NodeJS.ErrnoException).code ?? 'error'}): give the process the right to its folder, or the option "path" another one.`,
      { cause },
    )
  }
  if (await isFolder(path)) {
    throw new SetupError(
      'ERR_DRIVER_UNUSABLE',
      `"${path}" is a folder: give the option "path" a file in it, such as "${join(path, 'hub.db')}".`,
    )
  }
  const type = path.startsWith('\\\\') ? 0x517b : await typeOf(folder)
  const network = networks.get(type)
  if (network !== undefined) {
    throw new SetupError(
      'ERR_DRIVER_UNUSABLE',
      `"${path}" is on ${network}, where SQLite's locks are not reliable: put it on a local disk with the option "path", or use @trigger-hub/redis to share it.`,
    )
  }
  const memory = memories.get(type)
  if (memory !== undefined) {
    return [
      {
        code: 'WARN_VOLATILE_FILESYSTEM',
        message: `"${path}" is on ${memory}, which a restart of the machine empties: accepted events are lost then. Set the option "path".`,
      },
    ]
  }
  if (type === fuse) {
    return [
      {
        code: 'WARN_FILESYSTEM_UNKNOWN',
        message: `"${path}" is on a FUSE filesystem: if that reaches another machine, or ignores fsync, accepted events can be lost.`,
      },
    ]
  }
  return []
}

/** The magic number of a filesystem; 0 where the system does not say it that way. */
async function filesystemOf(folder: string): Promise<number> {
  return process.platform === 'linux' ? (await statfs(folder)).type >>> 0 : 0
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (there) => there.isDirectory(),
    () => false, // a new file is made
  )
