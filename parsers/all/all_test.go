package all

import (
	"flag"
	"path/filepath"
	"testing"

	"daozhang/parsers/parsertest"
)

var update = flag.Bool("update", false, "write the golden files")

var fixtures = filepath.Join("..", "..", "fixtures")

func TestEverySampleReadsAsItsGoldenFileSays(t *testing.T) {
	reg, err := All()
	if err != nil {
		t.Fatal(err)
	}
	parsertest.Golden(t, reg, fixtures, *update)
}

func TestEveryFormatKeepsTheContract(t *testing.T) {
	reg, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range reg.Formats() {
		t.Run(f.Info().Name, func(t *testing.T) {
			parsertest.Run(t, f, parsertest.Samples(t, fixtures, f.Info().Name))
		})
	}
}

func TestTwoFormatsOfOneNameAreRefused(t *testing.T) {
	reg, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := With(reg.Formats()[0]); err == nil {
		t.Error("a second format of a built-in name was accepted")
	}
}
