//! Instructions and base image configs to LLB and an image config, for one platform. Pure: no I/O.
