package captcha

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// sampleRate is that of every recording and every sound, in Hz.
const sampleRate = 8000

// Formats of WAVE data that are read.
const (
	formatPCM   = 1
	formatMuLaw = 7
)

// decodeWAV reads a recording: mono, 8 kHz, 8-bit mu-law, or PCM of 8 or 16 bits. Samples
// are from -1 to 1. It is for recordings that an operator gives, and its errors say what is
// wrong with them.
func decodeWAV(b []byte) ([]float32, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, errors.New("no WAVE file")
	}
	var format, channels, bits uint16
	var rate uint32
	for b = b[12:]; len(b) >= 8; {
		name, size := string(b[:4]), binary.LittleEndian.Uint32(b[4:8])
		b = b[8:]
		if uint64(size) > uint64(len(b)) {
			return nil, fmt.Errorf("cut off in its %q part", name)
		}
		part := b[:size]
		switch name {
		case "fmt ":
			if size < 16 {
				return nil, errors.New("its format part is too short")
			}
			format = binary.LittleEndian.Uint16(part)
			channels = binary.LittleEndian.Uint16(part[2:])
			rate = binary.LittleEndian.Uint32(part[4:])
			bits = binary.LittleEndian.Uint16(part[14:])
		case "data":
			if channels != 1 || rate != sampleRate {
				return nil, fmt.Errorf("%d channels at %d Hz, not 1 at %d Hz", channels, rate, sampleRate)
			}
			return decodeSamples(format, bits, part)
		}
		b = b[min(len(b), int(size)+int(size&1)):] // parts are padded to even lengths
	}
	return nil, errors.New("no samples in it")
}

func decodeSamples(format, bits uint16, data []byte) ([]float32, error) {
	switch {
	case format == formatPCM && bits == 8:
		out := make([]float32, len(data))
		for i, v := range data {
			out[i] = (float32(v) - 128) / 128
		}
		return out, nil
	case format == formatPCM && bits == 16:
		out := make([]float32, len(data)/2)
		for i := range out {
			out[i] = float32(int16(binary.LittleEndian.Uint16(data[2*i:]))) / 32768
		}
		return out, nil
	case format == formatMuLaw && bits == 8:
		out := make([]float32, len(data))
		for i, v := range data {
			out[i] = muLaw(v)
		}
		return out, nil
	}
	return nil, fmt.Errorf("format %d of %d bits, neither PCM of 8 or 16 bits nor mu-law", format, bits)
}

// muLaw is the value of one sample of ITU-T G.711.
func muLaw(v byte) float32 {
	v = ^v
	magnitude := ((int(v&0x0f) << 3) + 0x84) << (v >> 4 & 7)
	s := float32(magnitude-0x84) / 32768
	if v&0x80 != 0 {
		return -s
	}
	return s
}

// encodeWAV is a WAVE file of 8-bit PCM, which every browser plays. What is louder than 1
// is cut.
func encodeWAV(samples []float32) []byte {
	const header = 44
	n := len(samples)
	b := make([]byte, header, header+n+1)
	copy(b, "RIFF")
	binary.LittleEndian.PutUint32(b[4:], uint32(header-8+n+n&1))
	copy(b[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(b[16:], 16)
	binary.LittleEndian.PutUint16(b[20:], formatPCM)
	binary.LittleEndian.PutUint16(b[22:], 1)
	binary.LittleEndian.PutUint32(b[24:], sampleRate)
	binary.LittleEndian.PutUint32(b[28:], sampleRate)
	binary.LittleEndian.PutUint16(b[32:], 1)
	binary.LittleEndian.PutUint16(b[34:], 8)
	copy(b[36:], "data")
	binary.LittleEndian.PutUint32(b[40:], uint32(n))
	for _, s := range samples {
		b = append(b, byte(max(0, min(255, 128.5+127*s))))
	}
	if n&1 == 1 {
		b = append(b, 0)
	}
	return b
}

// level is the root mean square of samples.
func level(samples []float32) float32 {
	var sum float64
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return float32(math.Sqrt(sum / float64(max(1, len(samples)))))
}

// peak is the loudest sample.
func peak(samples []float32) (p float32) {
	for _, s := range samples {
		p = max(p, s, -s)
	}
	return p
}

// trim cuts off both ends what is quieter than a fiftieth of the peak, but for 10 ms.
func trim(samples []float32) []float32 {
	floor := peak(samples) / 50
	loud := func(s float32) bool { return s > floor || -s > floor }
	from := slices.IndexFunc(samples, loud)
	if from < 0 {
		return nil
	}
	to := len(samples)
	for !loud(samples[to-1]) {
		to--
	}
	const margin = sampleRate / 100
	return samples[max(0, from-margin):min(len(samples), to+margin)]
}
