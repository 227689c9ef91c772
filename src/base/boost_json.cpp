// The one place where Boost.JSON's own code is compiled, so that nothing but headers is needed.

#include <boost/json/src.hpp>
