{
  description = "solvekit: a BuildKit client";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      forAll = f: nixpkgs.lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
    in {
      packages = forAll (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = "solvekit";
          version = "0.1.0";
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          # The tests need a BuildKit.
          doCheck = false;
          nativeBuildInputs = [ pkgs.installShellFiles ];
          postInstall = ''
            mkdir man
            $out/bin/solvekit man man
            installManPage man/*.1
            installShellCompletion --cmd solvekit \
              --bash <($out/bin/solvekit completion bash) \
              --zsh <($out/bin/solvekit completion zsh) \
              --fish <($out/bin/solvekit completion fish)
          '';
          meta.mainProgram = "solvekit";
        };
      });
    };
}
