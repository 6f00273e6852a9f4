#include "tensor/real.hpp"

const char QISA_FLAVOUR = 0;
