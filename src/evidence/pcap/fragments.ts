interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface Assembly {
  readonly pieces: Piece[];
  heldBytes: number;
  /** Known once the last piece is there. */
  totalBytes: number | null;
}

export interface Fragment {
  /** In bytes, in what the IP packet carries. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
  /** False where the capture cut it. */
  readonly isWhole: boolean;
}

// Lost pieces leave assemblies behind; the oldest go first.
const mostAssemblies = 256;
const longestPacket = 65_535;

/** Puts the pieces of IP packets together. What it holds is bounded: 256 packets of 64 KiB. */
export class FragmentTable {
  readonly #assemblies = new Map<string, Assembly>();
  #incomplete = 0;

  /** Packets of which a piece never came, those that are still waited for included. */
  get incomplete(): number {
    return this.#incomplete + this.#assemblies.size;
  }

  /** What the packet carries, once its last piece is there; null before. */
  add(key: string, fragment: Fragment): Buffer | null {
    const assembly = this.#assemblies.get(key) ?? this.#begin(key);
    const { offset, bytes, isLast, isWhole } = fragment;
    const isRepeated = assembly.pieces.some((piece) => piece.offset === offset);
    if (
      !isWhole ||
      offset + bytes.length > longestPacket ||
      (!isRepeated && assembly.heldBytes + bytes.length > longestPacket)
    ) {
      this.#assemblies.delete(key);
      this.#incomplete++;
      return null;
    }
    if (!isRepeated) {
      // Copied, for the bytes belong to a chunk of the file.
      assembly.pieces.push({ offset, bytes: Uint8Array.from(bytes) });
      assembly.heldBytes += bytes.length;
    }
    if (isLast) assembly.totalBytes = offset + bytes.length;
    if (assembly.totalBytes === null || assembly.heldBytes < assembly.totalBytes) return null;
    this.#assemblies.delete(key);
    return this.#joined(assembly.pieces, assembly.totalBytes);
  }

  #begin(key: string): Assembly {
    const oldest = this.#assemblies.keys().next().value;
    if (this.#assemblies.size >= mostAssemblies && oldest !== undefined) {
      this.#assemblies.delete(oldest);
      this.#incomplete++;
    }
    const assembly: Assembly = { pieces: [], heldBytes: 0, totalBytes: null };
    this.#assemblies.set(key, assembly);
    return assembly;
  }

  /** Pieces that overlap or leave a hole make no packet (RFC 8200 §4.5, RFC 5722). */
  #joined(pieces: readonly Piece[], totalBytes: number): Buffer | null {
    const whole = Buffer.alloc(totalBytes);
    let at = 0;
    for (const piece of pieces.toSorted((a, b) => a.offset - b.offset)) {
      if (piece.offset !== at || at + piece.bytes.length > totalBytes) {
        this.#incomplete++;
        return null;
      }
      whole.set(piece.bytes, at);
      at += piece.bytes.length;
    }
    return whole;
  }
}
