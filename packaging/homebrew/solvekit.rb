# The formula of a tap: brew install solvekit/tap/solvekit. The tap sets version and checksum for each release.
class Solvekit < Formula
  desc "BuildKit client: Dockerfiles to LLB, all platforms at once, one image index"
  homepage "https://github.com/solvekit/solvekit"
  url "https://github.com/solvekit/solvekit/archive/refs/tags/v0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "Apache-2.0"
  head "https://github.com/solvekit/solvekit.git", branch: "main"

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
    generate_completions_from_executable(bin/"solvekit", "completion")
    (buildpath/"man").mkpath
    system bin/"solvekit", "man", buildpath/"man"
    man1.install Dir["man/*.1"]
  end

  test do
    (testpath/"Dockerfile").write "FROM scratch\nCOPY Dockerfile /\n"
    assert_match "COPY Dockerfile /", shell_output("#{bin}/solvekit llb --platform linux/amd64 #{testpath}")
  end
end
