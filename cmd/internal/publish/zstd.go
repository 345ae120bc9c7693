package publish

import (
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// packer keeps what compressing and unpacking need between two texts: making it anew costs more than a small text itself.
// It is safe for concurrent use. A nil packer makes everything anew.
type packer struct {
	encoders, decoders sync.Pool
}

// decoder is a reader with the memory that copying from it needs.
type decoder struct {
	*zstd.Decoder
	buf []byte
}

// pack compresses in one piece: most texts are small, and a stream would take its window first.
func (p *packer) pack(text []byte) ([]byte, error) {
	z, err := p.encoder()
	if err != nil {
		return nil, err
	}
	packed := z.EncodeAll(text, make([]byte, 0, 512+len(text)/4))
	if p == nil {
		return packed, z.Close()
	}
	p.encoders.Put(z)
	return packed, nil
}

func (p *packer) encoder() (*zstd.Encoder, error) {
	if p != nil {
		if z, ok := p.encoders.Get().(*zstd.Encoder); ok {
			return z, nil
		}
	}
	// One goroutine: the same text gives the same file on any machine. Fast: most of a text is digests and keys, of which a
	// slower search finds little more.
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
}

// unpack writes to w what r holds compressed, up to maxCarryBytes.
func (p *packer) unpack(w io.Writer, r io.Reader) (int64, error) {
	d, err := p.decoder(r)
	if err != nil {
		return 0, err
	}
	n, err := io.CopyBuffer(w, io.LimitReader(d, maxCarryBytes+1), d.buf)
	if err == nil && n > maxCarryBytes {
		err = fmt.Errorf("it unpacks to more than %d bytes", int64(maxCarryBytes))
	}
	if p == nil || d.Reset(nil) != nil {
		d.Close()
	} else {
		p.decoders.Put(d)
	}
	return n, err
}

func (p *packer) decoder(r io.Reader) (*decoder, error) {
	if p != nil {
		if d, ok := p.decoders.Get().(*decoder); ok {
			return d, d.Reset(r)
		}
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxCarryBytes))
	return &decoder{z, make([]byte, 32<<10)}, err
}
