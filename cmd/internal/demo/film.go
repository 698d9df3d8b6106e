//go:build ignore

// film draws templates/static/demo/ferry.webm: six seconds of a ferry at dawn, as raw
// frames on standard output for ffmpeg.
//
//	go run film.go | ffmpeg -f rawvideo -pixel_format rgb24 -video_size 480x270 -framerate 12 -i - \
//		-c:v libvpx-vp9 -crf 50 -b:v 0 -an -metadata title="" ../../../templates/static/demo/ferry.webm
package main

import (
	"bufio"
	"log"
	"math"
	"os"
)

const (
	width, height = 480, 270
	frames        = 72
	horizon       = 150.0
)

type colour [3]float64

func mix(a, b colour, t float64) colour {
	t = math.Max(0, math.Min(1, t))
	return colour{a[0] + (b[0]-a[0])*t, a[1] + (b[1]-a[1])*t, a[2] + (b[2]-a[2])*t}
}

// hills is the height of the far bank above the horizon.
func hills(x float64) float64 { return 16 + 10*math.Sin(x/52) + 6*math.Sin(x/19+2) }

// boat reports what of the ferry, with its middle at bx, covers a point.
func boat(x, y, bx float64) (colour, bool) {
	dx, dy := x-bx, y-178
	switch {
	case dy > 8 && dy < 30 && math.Abs(dx) < 58-(dy-8)*.9: // hull
		return colour{43, 42, 45}, true
	case dy > -48 && dy <= 8 && math.Abs(dx-10) < 1.8: // mast
		return colour{43, 42, 45}, true
	case dy > -44 && dy < 2 && dx > 13 && dx < 13+(dy+44)*.75: // sail
		return colour{138, 74, 52}, true
	case dy > -10 && dy <= 8 && dx > -34 && dx < -2: // cabin
		return colour{66, 65, 70}, true
	}
	return colour{}, false
}

func pixel(x, y, t float64) colour {
	if c, ok := boat(x, y, 70+230*t); ok {
		return c
	}
	sun := 165 - 50*t
	warm := .25 + .75*t
	if y < horizon {
		sky := mix(mix(colour{70, 84, 116}, colour{109, 127, 163}, t), mix(colour{150, 140, 150}, colour{246, 201, 143}, warm), y/horizon)
		if math.Hypot(x-330, y-sun) < 27 {
			sky = colour{255, 227, 163}
		}
		if horizon-y < hills(x) {
			return mix(colour{44, 58, 60}, colour{70, 96, 79}, t)
		}
		return sky
	}
	water := mix(mix(colour{120, 120, 128}, colour{217, 168, 120}, warm), colour{70, 98, 126}, (y-horizon)/120)
	ripple := math.Sin(y*.9+6*math.Sin(x/40+t*9)) > .86
	if ripple && math.Abs(x-330) < 20+(y-horizon)*.35 {
		return mix(water, colour{255, 227, 163}, .6*warm)
	}
	return water
}

func main() {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for f := range frames {
		t := float64(f) / (frames - 1)
		for y := range height {
			for x := range width {
				c := pixel(float64(x), float64(y), t)
				for _, v := range c {
					if err := out.WriteByte(byte(v)); err != nil {
						log.Fatal(err)
					}
				}
			}
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}
